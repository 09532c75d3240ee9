import { describe, expect, test } from 'vitest'
import { runProcess } from './start.js'

const waits = ['read', 'write', 'lock', 'acquire']

describe.each(waits)('I8: a process that does nothing but wait (%s)', waiting => {
  test('stays alive until the wait is over, then ends by itself', async () => {
    expect(await runProcess('waiting-process', [waiting, 'end'])).toEqual({
      code: 0,
      stdout: 'done',
      stderr: '',
    })
  })

  test('ends by itself after an abort', async () => {
    expect(await runProcess('waiting-process', [waiting, 'abort'])).toEqual({
      code: 0,
      stdout: 'aborted',
      stderr: '',
    })
  })

  test('the same holds for a worker thread', async () => {
    const { code, stdout } = await runProcess('waiting-process', [waiting, 'thread'])
    expect([code, stdout]).toEqual([0, 'done\nthread exit 0'])
  })
})

test.each([
  ['one mailbox', 1_000_000],
  ['many mailboxes', 600_000],
  ['one lock', 600_000],
])(
  'I7: waits on %s that were given up, %d of them, leave no memory and no timer behind',
  async (where, count) => {
    const { stdout, stderr } = await runProcess(
      'abandoned-waits',
      [where, String(count)],
      ['--expose-gc'],
      60_000,
    )
    expect(stderr).toBe('')
    const { heapMiB, rssMiB, resources } = JSON.parse(stdout)
    expect(heapMiB).toBeLessThan(1)
    // Varies by some 30 MiB; waits that stay would be more than 80, at 300 bytes or more each.
    expect(rssMiB).toBeLessThan(64)
    expect(resources).toEqual([])
  },
  70_000,
)

test('I7, I8: a million reads whose message comes, or comes too late, leave nothing behind', async () => {
  const { stdout, stderr } = await runProcess('satisfied-waits', ['1000000'], ['--expose-gc'], 60_000)
  expect(stderr).toBe('')
  const { heapMiB, rssMiB, resources } = JSON.parse(stdout)
  expect(heapMiB).toBeLessThan(4) // 10 bytes each time would be more than 9
  expect(rssMiB).toBeLessThan(64)
  expect(resources).toEqual([])
}, 70_000)

/** How often the worker is started; a soak gives 1,000. */
const STARTS = Number(process.env.LIVENESS_STARTS ?? 200)

test(
  `I9, I11: a worker started ${STARTS} times on one pool leaves no memory, handle or slot behind`,
  async () => {
    const timeout = 30_000 + STARTS * 200
    const { stdout, stderr } = await runProcess('worker-starts', [String(STARTS)], ['--expose-gc'], timeout)
    expect(stderr).toBe('')
    const { heapMiB, rssMiB, resources, pool } = JSON.parse(stdout)
    expect(heapMiB).toBeLessThan(1 + STARTS / 500)
    expect(rssMiB).toBeLessThan(64)
    expect(resources).toEqual([])
    expect(pool).toMatchObject({ inUse: 0, quarantined: 0 })
  },
  60_000 + STARTS * 200,
)
