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

/** mulberry32: the same seed gives the same order again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

it.each([
  [5, undefined, 0],
  [6, 1, 1000],
] as const)(
  'I6, I7, I8: nothing stale is served or held in any order of %i steps with one key, ttl %s, maxStaleMs %i',
  { timeout: 60_000 },
  (length, ttl, maxStaleMs) => runAll(length, () => new CacheModel(['a'], ttl, maxStaleMs)),
)

it('I6, I7, I8: nor in random orders of 30 steps with two keys', { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= 20_000; seed += 1) {
    const next = random(seed)
    const ttl = [undefined, 1, 2][next(3)]
    const maxStaleMs = [0, 500, 1000][next(3)] as number
    let left = 30
    await run(new CacheModel(['a', 'b'], ttl, maxStaleMs), count => (left-- > 0 ? next(count) : undefined))
  }
})

it('at least 100 000 orders were tried, and everything happened in them', () => {
  console.log(`cache interleavings: ${JSON.stringify(totals)}`)
  const { interleavings, ...counts } = totals
  expect(interleavings).toBeGreaterThanOrEqual(100_000)
  for (const [name, count] of Object.entries(counts)) expect(count, name).toBeGreaterThan(1000)
})
