import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Deliveries } from './deliveries.js'
import type { CacheInvalidationError } from './error.js'

const at = (sequence: number) => ({ epoch: 'e', sequence, id: `${sequence}` })

function setUp(over: Partial<ConstructorParameters<typeof Deliveries>[0]> = {}) {
  const calls: string[] = []
  const errors: CacheInvalidationError[] = []
  const deliveries = new Deliveries({
    onInvalidate: keys => void calls.push(keys.join()),
    onFlush: reason => void calls.push(`flush:${reason}`),
    report: error => errors.push(error),
    timeoutMs: 5000,
    maxPending: 100,
    maxPendingBytes: 1000,
    ...over,
  })
  return { calls, errors, deliveries }
}

/** A handler that waits to be let go. */
function gate() {
  const started: string[] = []
  const waiting: ((error?: Error) => void)[] = []
  return {
    started,
    handler: (keys: string[]) =>
      new Promise<void>((resolve, reject) => {
        started.push(keys.join())
        waiting.push(error => (error ? reject(error) : resolve()))
      }),
    async open(error?: Error) {
      waiting.shift()?.(error)
      await turn()
    },
  }
}

describe('keys', () => {
  it('are handed over one message after the other, and the position follows', async () => {
    const { handler, started, open } = gate()
    const { deliveries } = setUp({ onInvalidate: handler })
    deliveries.adopt(at(0))
    for (const n of [1, 2, 3]) deliveries.push({ keys: [`k${n}`] }, 1, at(n))
    await turn()
    expect(started).toEqual(['k1'])
    expect(deliveries.position).toEqual(at(0))
    await open()
    expect(started).toEqual(['k1', 'k2'])
    expect(deliveries.position).toEqual(at(1))
    const idle = deliveries.idle()
    await open()
    await open()
    await idle
    expect(deliveries.position).toEqual(at(3))
  })

  it('are handed over again when the handler failed, as they were, before the next', async () => {
    let failures = 2
    const { calls, errors, deliveries } = setUp({
      onInvalidate(keys) {
        calls.push(keys.join())
        keys.length = 0
        failures -= 1
        if (failures >= 0) throw new Error('no')
      },
    })
    deliveries.push({ keys: ['a', 'b'] }, 2, at(1))
    deliveries.push({ keys: ['c'] }, 1, at(2))
    await deliveries.idle()
    expect(calls).toEqual(['a,b', 'a,b', 'a,b', 'c'])
    expect(errors).toEqual([])
  })

  it('that a publisher could not keep come as a flush, in order, and the position follows', async () => {
    const { calls, deliveries } = setUp()
    deliveries.push({ keys: ['a'] }, 1, at(1))
    await deliveries.idle()
    deliveries.push({ keys: [], flush: true }, 1, at(2))
    await deliveries.idle()
    expect(deliveries.position).toEqual(at(2))
    deliveries.push({ keys: ['b'] }, 1, at(3))
    await deliveries.idle()
    expect(calls).toEqual(['a', 'flush:overflow', 'b'])
  })

  it('that the handler never takes become a flush, which covers those behind them', async () => {
    const { calls, errors, deliveries } = setUp({
      async onInvalidate(keys) {
        calls.push(keys.join())
        throw new Error('no')
      },
    })
    deliveries.push({ keys: ['a'] }, 1, at(1))
    deliveries.push({ keys: ['b'] }, 1, at(2))
    await deliveries.idle()
    expect(calls).toEqual(['a', 'a', 'a', 'flush:handler'])
    expect(deliveries.position).toEqual(at(2))
    expect(errors).toMatchObject([{ code: 'HANDLER_FAILED', cause: { message: 'no' } }])
  })

  it('whose handler hangs become a flush, without a second call beside the first', async () => {
    const { started, handler } = gate()
    const { calls, errors, deliveries } = setUp({ onInvalidate: handler, timeoutMs: 20 })
    deliveries.push({ keys: ['a'] }, 1, at(1))
    await deliveries.idle()
    expect(started).toEqual(['a'])
    expect(calls).toEqual(['flush:handler'])
    expect(errors).toMatchObject([{ code: 'HANDLER_FAILED', cause: { name: 'DeadlineError' } }])
  })

  it.each([
    ['too many', 101, 1],
    ['too large together', 11, 100],
  ])('that are %s to wait become one flush', async (_, count, bytes) => {
    const { started, handler, open } = gate()
    const { calls, deliveries } = setUp({ onInvalidate: handler })
    deliveries.push({ keys: ['first'] }, 0, at(1))
    for (let n = 2; n <= count + 1; n += 1) deliveries.push({ keys: [`k${n}`] }, bytes, at(n))
    deliveries.push({ keys: ['last'] }, 1, at(count + 2))
    const idle = deliveries.idle()
    await open()
    await open()
    await idle
    expect(started).toEqual(['first', 'last'])
    expect(calls).toEqual(['flush:overflow'])
    expect(deliveries.position).toEqual(at(count + 2))
  })
})

describe('a flush', () => {
  it('drops the keys that wait, and comes before later ones', async () => {
    const { calls, deliveries } = setUp()
    deliveries.push({ keys: ['a'] }, 1, at(1))
    deliveries.push({ keys: ['b'] }, 1, at(2))
    deliveries.flush('epoch', at(9))
    deliveries.push({ keys: ['c'] }, 1, at(10))
    await deliveries.idle()
    expect(calls).toEqual(['a', 'flush:epoch', 'c'])
    expect(deliveries.position).toEqual(at(10))
  })

  it('is called until it succeeds; the position waits for it', async () => {
    let failures = 2
    const { calls, errors, deliveries } = setUp({
      async onFlush(reason) {
        calls.push(`flush:${reason}`)
        failures -= 1
        if (failures >= 0) throw new Error('no')
      },
    })
    deliveries.adopt(at(1))
    deliveries.flush('server', at(5))
    deliveries.push({ keys: ['a'] }, 1, at(6))
    await turn()
    expect(deliveries.failing).toBe(true)
    expect(deliveries.position).toEqual(at(1))
    await deliveries.idle()
    expect(calls).toEqual(['flush:server', 'flush:server', 'flush:server', 'a'])
    expect(deliveries.failing).toBe(false)
    expect(errors).toMatchObject([
      { code: 'FLUSH_FAILED', reason: 'server' },
      { code: 'FLUSH_FAILED', reason: 'server' },
    ])
  })

  it('that has not begun covers the next one; one that has begun does not', async () => {
    const { calls, deliveries } = setUp()
    deliveries.push({ keys: ['a'] }, 1, at(1))
    deliveries.flush('epoch', at(2))
    deliveries.flush('server', at(3))
    await deliveries.idle()
    expect(calls).toEqual(['a', 'flush:epoch'])
    expect(deliveries.position).toEqual(at(3))
    deliveries.flush('epoch', at(4))
    deliveries.flush('server', at(5))
    await deliveries.idle()
    expect(calls.slice(2)).toEqual(['flush:epoch', 'flush:server'])
  })

  it('that nobody takes is reported with its reason', async () => {
    const { errors, deliveries } = setUp({ onFlush: undefined })
    deliveries.flush('trimmed', at(5))
    await deliveries.idle()
    expect(errors).toMatchObject([{ code: 'FLUSH_REQUIRED', reason: 'trimmed' }])
    expect(deliveries.position).toEqual(at(5))
  })
})

describe('the end', () => {
  it('waits for the call under way and begins no other', async () => {
    const { started, handler, open } = gate()
    const { deliveries } = setUp({ onInvalidate: handler })
    deliveries.push({ keys: ['a'] }, 1, at(1))
    deliveries.push({ keys: ['b'] }, 1, at(2))
    let isStopped = false
    const stopped = deliveries.stop(5000).then(() => {
      isStopped = true
    })
    await deliveries.idle()
    await turn()
    expect(isStopped).toBe(false)
    await open()
    await stopped
    deliveries.push({ keys: ['c'] }, 1, at(3))
    deliveries.flush('epoch', at(4))
    await turn()
    expect(started).toEqual(['a'])
  })

  it('is bounded when a handler hangs', async () => {
    const { deliveries } = setUp({ onInvalidate: () => new Promise(() => {}) })
    deliveries.push({ keys: ['a'] }, 1, at(1))
    await deliveries.stop(20)
  })

  it('stops a flush that keeps failing', async () => {
    const { calls, deliveries } = setUp({
      onFlush(reason) {
        calls.push(reason)
        throw new Error('no')
      },
    })
    deliveries.flush('epoch', at(1))
    await turn()
    await deliveries.stop(20)
    const before = calls.length
    await new Promise(resolve => setTimeout(resolve, 150))
    expect(calls).toHaveLength(before)
    expect(deliveries.position).toBeUndefined()
  })
})
