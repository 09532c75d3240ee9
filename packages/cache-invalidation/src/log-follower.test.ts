import { seededRandom } from '@scratchyjs/tooling/random'
import { describe, expect, it } from 'vitest'
import { FollowerModel } from '../test/follower-model.js'
import { Deliveries } from './deliveries.js'
import type { CacheInvalidationError } from './error.js'
import { type LogPage, noLog } from './log.js'
import { LogFollower } from './log-follower.js'

async function history(
  seed: number,
  losses: readonly string[],
  isReplica = seed % 3 === 0,
): Promise<FollowerModel> {
  const random = seededRandom(seed)
  const next = (below: number) => Math.floor(random() * below)
  const model = new FollowerModel(seed % 2 === 0, isReplica)
  if (next(4) > 0) model.publish()
  model.connect()
  // The first contact is made without a break, so that a late one is not what flushes.
  await model.settle()
  const steps = [
    'publish',
    'publish',
    'publish',
    'serve',
    'serve',
    'receive',
    'receive',
    'receiveReply',
    'beat',
  ]
  const breaks = ['cut', 'connect', 'connect', ...losses]
  for (let step = 0; step < 60; step += 1) {
    const all = next(5) === 0 ? breaks : steps
    await model[all[next(all.length)] as 'publish']()
  }
  await model.settle()
  return model
}

describe('whatever the order in which things happen', () => {
  it('I1: each message comes once, in order, and nothing is flushed, as long as the log is whole', {
    timeout: 20_000,
  }, async () => {
    for (let seed = 1; seed <= 3000; seed += 1) {
      const model = await history(seed, [], false)
      expect(model.seen, `seed ${seed}`).toEqual(model.published)
      expect(model.isLive, `seed ${seed}`).toBe(true)
    }
  })

  it.each([['trim'], ['loseLog'], ['restart'], ['failOver'], ['trim', 'loseLog', 'restart', 'failOver']])(
    'I2: nothing stale remains when the log suffers: %s',
    { timeout: 20_000 },
    async (...losses) => {
      let flushes = 0
      for (let seed = 1; seed <= 2000; seed += 1) {
        const model = await history(seed, losses)
        const [position, head] = model.positions
        expect([...model.stale], `seed ${seed}: ${model.seen}`).toEqual([])
        expect(position, `seed ${seed}`).toBe(head)
        expect(model.isLive, `seed ${seed}`).toBe(true)
        flushes += model.flushes.length
      }
      expect(flushes).toBeGreaterThan(100)
    },
  )
})

describe('a follower', () => {
  const page = (over: Partial<LogPage> = {}): LogPage => ({
    server: 's1',
    head: noLog,
    first: 1,
    diverged: false,
    after: 0,
    entries: [],
    ...over,
  })
  const at = (sequence: number, epoch = 'e') => ({ epoch, sequence, id: `i${sequence}` })
  const message = (sequence: number) => ({ keys: [`k${sequence}`], entry: at(sequence) })

  function setUp(taken: () => unknown = () => {}) {
    const seen: string[] = []
    const errors: CacheInvalidationError[] = []
    const report = (error: CacheInvalidationError) => errors.push(error)
    const deliveries = new Deliveries({
      onInvalidate(keys) {
        seen.push(...keys)
        return taken()
      },
      onFlush: reason => void seen.push(`flush:${reason}`),
      report,
      timeoutMs: 1000,
      maxPending: 20_000,
      maxPendingBytes: 1e9,
    })
    return { seen, errors, deliveries, follower: new LogFollower(deliveries, report) }
  }

  it('I1: begins where the log ends, whatever is in it', async () => {
    const { seen, deliveries, follower } = setUp()
    expect(follower.apply(page({ head: at(7), first: 3, after: 7 }))).toBe(true)
    follower.goLive()
    expect(follower.offer(message(8), 1)).toBe(true)
    await deliveries.idle()
    expect(seen).toEqual(['k8'])
    expect(deliveries.position).toEqual(at(8))
  })

  it('I3: its position waits for the handler that takes the keys', async () => {
    let take = () => {}
    const taken = new Promise<void>(resolve => {
      take = resolve
    })
    const { deliveries, follower } = setUp(() => taken)
    follower.apply(page({ head: at(7), after: 7 }))
    follower.goLive()
    follower.offer(message(8), 1)
    await Promise.resolve()
    expect(deliveries.position).toEqual(at(7))
    take()
    await deliveries.idle()
    expect(deliveries.position).toEqual(at(8))
  })

  it('I2: flushes at a first contact that came late', async () => {
    const { seen, deliveries, follower } = setUp()
    follower.interrupt()
    follower.apply(page({ head: at(7), after: 7 }))
    await deliveries.idle()
    expect(seen).toEqual(['flush:epoch'])
    expect(deliveries.position).toEqual(at(7))
  })

  it('I2: flushes on every reconnect to a server that does not say who it is, and says so once', async () => {
    const { seen, errors, deliveries, follower } = setUp()
    const unknown = page({ server: undefined, head: at(1), after: 1 })
    follower.apply(unknown)
    expect(follower.agrees(unknown)).toBe(true)
    for (const _ of [1, 2]) {
      follower.interrupt()
      follower.apply(unknown)
      await deliveries.idle()
    }
    expect(seen).toEqual(['flush:server', 'flush:server'])
    expect(errors).toMatchObject([{ code: 'SERVER_UNKNOWN' }])
  })

  it('I2: flushes when the log no longer holds what follows', async () => {
    const { seen, deliveries, follower } = setUp()
    follower.apply(page({ head: at(3), after: 3 }))
    expect(follower.apply(page({ head: at(9), first: 5, after: 3 }))).toBe(true)
    await deliveries.idle()
    expect(seen).toEqual(['flush:trimmed'])
    expect(deliveries.position).toEqual(at(9))
  })

  it('I2: flushes when the log holds another message at its place', async () => {
    const { seen, deliveries, follower } = setUp()
    follower.apply(page({ head: at(7), after: 7 }))
    follower.apply(page({ head: at(9), after: 7, diverged: true }))
    await deliveries.idle()
    expect(seen).toEqual(['flush:server'])
  })

  it('I2: flushes when the log holds what is no message', async () => {
    const { seen, errors, deliveries, follower } = setUp()
    follower.apply(page({ head: at(0) }))
    expect(follower.apply(page({ head: at(2), entries: ['{"keys":[]}', ''] }))).toBe(true)
    await deliveries.idle()
    expect(seen).toEqual(['flush:trimmed'])
    expect(errors).toMatchObject([{ code: 'MALFORMED_MESSAGE' }])
    expect(deliveries.position).toEqual(at(2))
  })

  it('honours keys under a number that the log does not have, and reports it', async () => {
    const { seen, errors, deliveries, follower } = setUp()
    follower.apply(page({ head: at(1), after: 1 }))
    follower.goLive()
    expect(follower.offer(message(9), 1)).toBe(false)
    follower.apply(page({ head: at(1), after: 1 }))
    follower.goLive()
    await deliveries.idle()
    expect(seen).toEqual(['k9'])
    expect(errors).toMatchObject([{ code: 'LOG_MISMATCH' }])
    expect(deliveries.position).toEqual(at(1))
  })

  it('I1: reads the log again when too much arrives meanwhile to be kept', async () => {
    const { seen, deliveries, follower } = setUp()
    follower.apply(page({ head: at(0) }))
    follower.hold()
    expect(follower.startReading()).toEqual(at(0))
    for (let n = 1; n <= 10_001; n += 1) follower.offer(message(n), 1)
    expect(follower.goLive()).toBe(false)
    follower.startReading()
    const entries = Array.from({ length: 10_001 }, (_, i) =>
      JSON.stringify({ keys: [`k${i + 1}`], ...at(i + 1) }),
    )
    expect(follower.apply(page({ head: at(10_001), entries }))).toBe(true)
    expect(follower.goLive()).toBe(true)
    await deliveries.idle()
    expect(seen).toHaveLength(10_001)
    follower.hold()
    follower.offer(message(10_002), 17 * 1024 * 1024)
    expect(follower.goLive()).toBe(false)
  })

  it('I1: holds nothing back while the log cannot be read, and reads it later all the same', async () => {
    const { seen, deliveries, follower } = setUp()
    follower.apply(page({ head: at(1), after: 1 }))
    follower.goLive()
    follower.offer(message(3), 1)
    follower.goDirect()
    expect(follower.offer(message(4), 1)).toBe(true)
    await deliveries.idle()
    expect(seen).toEqual(['k3', 'k4'])
    expect(deliveries.position).toEqual(at(1))
    follower.hold()
    const entries = [2, 3, 4].map(n => JSON.stringify({ keys: [`k${n}`], ...at(n) }))
    follower.apply(page({ head: at(4), after: 1, entries }))
    await deliveries.idle()
    expect(seen.slice(2)).toEqual(['k2', 'k3', 'k4'])
    expect(deliveries.position).toEqual(at(4))
  })

  it('hands on what is in no log at once, whatever it is doing', async () => {
    const { seen, deliveries, follower } = setUp()
    expect(follower.offer({ keys: ['a'] }, 1)).toBe(true)
    follower.apply(page({ head: at(1), after: 1 }))
    expect(follower.offer({ keys: ['b'] }, 1)).toBe(true)
    follower.goLive()
    expect(follower.offer({ keys: ['c'] }, 1)).toBe(true)
    await deliveries.idle()
    expect(seen).toEqual(['a', 'b', 'c'])
    expect(deliveries.position).toEqual(at(1))
  })
})
