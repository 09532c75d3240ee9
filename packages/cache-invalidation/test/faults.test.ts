import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { beforeAll, describe, expect, it } from 'vitest'
import type { System } from './faults/cache-node.js'
import { classesNamed, faultClasses } from './faults/classes.js'
import { naive } from './faults/naive.js'
import { isClean } from './faults/results.js'
import { type ClassResult, runClass } from './faults/run-class.js'
import { type Defect, scratchyjs } from './faults/systems.js'

const entry = fileURLToPath(new URL('./faults/dist/main.js', import.meta.url))

beforeAll(async () => {
  // A process of a node runs plain JavaScript.
  const entries = { main: fileURLToPath(new URL('./faults/main.ts', import.meta.url)) }
  const outDir = fileURLToPath(new URL('./faults/dist', import.meta.url))
  await build({ entry: entries, outDir, config: false, format: 'esm', target: 'node20', silent: true })
  process.setMaxListeners(0)
})

function run(system: System, name: string, settleMs: number, seed = 1): Promise<ClassResult> {
  const [kind] = classesNamed(name)
  if (!kind) throw new Error(`${name} is no class`)
  return runClass(system, kind, { count: 6, seed, worlds: 3, settleMs, entry })
}

/** Not every fault strikes at the moment that matters to a defect: up to ten times as many, until one has. */
async function runUntilFound(system: System, name: string, count: keyof ClassResult): Promise<ClassResult> {
  for (let seed = 1; ; seed += 1) {
    const result = await run(system, name, 300, seed)
    if (Number(result[count]) > 0 || seed === 10) return result
  }
}

describe.concurrent('a few faults of each class', () => {
  // Those that take seconds are left to npm run test:faults.
  it.each(
    faultClasses
      .filter(({ share, worlds }) => share === undefined && worlds === undefined)
      .map(({ name }) => name),
  )('%s', async name => {
    const result = await run(scratchyjs(), name, 5000)
    expect(result.failures).toEqual([])
    expect(isClean(result)).toBe(true)
    expect(result.faults).toBe(6)
    expect(result.writes - result.rejected).toBeGreaterThan(0)
  })
})

describe.concurrent('the oracle finds', () => {
  it.each<[Defect, string, keyof ClassResult]>([
    ['ignores replay', 'connection killed', 'lost'],
    ['ignores replay', 'network stalled', 'lost'],
    ['ignores replay', 'connection half open', 'lost'],
    ['ignores replay', 'slow subscriber cut off', 'lost'],
    ['ignores replay', 'server stopped', 'lost'],
    ['ignores flushes', 'restart without persistence', 'lost'],
    ['ignores flushes', 'log trimmed', 'lost'],
    ['ignores flushes', 'log trimmed', 'missingFlushes'],
    ['ignores flushes', 'failover that loses the tail', 'lost'],
    ['ignores flushes', "writer's queue full", 'lost'],
    ['flushes on every reconnect', 'connection killed', 'needlessFlushes'],
    ['repeats under another id', 'answer lost, connection cut', 'duplicates'],
    ['repeats under another id', 'answer late, commandTimeout', 'duplicates'],
    ['has no fence', 'network stalled', 'lost'],
  ])('a node that %s, by the class "%s": %s', async (defect, name, count) => {
    const result = await runUntilFound(scratchyjs(defect), name, count)
    expect(result[count]).toBeGreaterThan(0)
    expect(isClean(result)).toBe(false)
    expect(result.failures[0]).toMatch(/^seed \d+: /)
  })

  it.each(['connection killed', 'connection half open', 'restart without persistence', 'log trimmed'])(
    'what a naive bus loses, by the class "%s"',
    async name => {
      expect((await runUntilFound(naive, name, 'lost')).lost).toBeGreaterThan(0)
    },
  )
})
