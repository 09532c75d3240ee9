import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CacheModel } from './cache-model.js'

const totals = {
  interleavings: 0,
  steps: 0,
  hits: 0,
  joined: 0,
  fenced: 0,
  bypassed: 0,
  invalidated: 0,
  failed: 0,
}

/** One model from beginning to end; `choose` picks among so many steps, or ends it with undefined. */
async function run(model: CacheModel, choose: (count: number) => number | undefined): Promise<void> {
  for (;;) {
    const steps = model.enabled
    const choice = choose(steps.length)
    if (choice === undefined) break
    await model.take(steps[choice] as (typeof steps)[number])
  }
  await model.settle()
  const stats = model.cache.stats()
  for (const name of ['hits', 'joined', 'fenced', 'bypassed', 'invalidated', 'failed'] as const)
    totals[name] += stats[name]
  totals.interleavings += 1
  totals.steps += model.steps.length
  if (model.violations.length > 0)
    throw new Error(`${model.violations.join('; ')}\n  ${model.steps.join('\n  ')}`)
}

/** Every order of `length` steps. */
async function runAll(length: number, create: () => CacheModel): Promise<void> {
  const path: { choice: number; count: number }[] = []
  do {
    let depth = 0
    await run(create(), count => {
      if (depth === length) return undefined
      path[depth] ??= { choice: 0, count }
      depth += 1
      return path[depth - 1]?.choice
    })
    let last = path.at(-1)
    while (last && last.choice + 1 === last.count) {
      path.pop()
      last = path.at(-1)
    }
    if (last) last.choice += 1
  } while (path.length > 0)
}

it.each([
  [5, undefined, 0],
  [6, 1, 1000],
] as const)(
  'I6, I7, I8: nothing stale is served or held in any order of %i steps with one key, ttl %s, maxStaleMs %i',
  { timeout: 60_000 },
  (length, ttl, maxStaleMs) => runAll(length, () => new CacheModel(['a'], ttl, maxStaleMs)),
)

it('I6, I7, I8: nor in random orders of up to 60 steps with two keys', { timeout: 60_000 }, async () => {
  const ttl = fc.constantFrom(undefined, 1, 2)
  const maxStaleMs = fc.constantFrom(0, 500, 1000)
  const choices = fc.array(fc.nat(999), { maxLength: 60, size: 'max' })
  const order = fc.asyncProperty(ttl, maxStaleMs, choices, async (ttl, maxStaleMs, choices) => {
    const left = choices.values()
    await run(new CacheModel(['a', 'b'], ttl, maxStaleMs), count => {
      const { value } = left.next()
      return value === undefined ? undefined : value % count
    })
  })
  await fc.assert(order, { numRuns: 20_000, seed: 1 })
})

it('at least 100 000 orders were tried, and everything happened in them', () => {
  console.log(`cache interleavings: ${JSON.stringify(totals)}`)
  const { interleavings, ...counts } = totals
  expect(interleavings).toBeGreaterThanOrEqual(100_000)
  for (const [name, count] of Object.entries(counts)) expect(count, name).toBeGreaterThan(1000)
})
