import { beforeEach, describe, expect, test, vi } from 'vitest'
import { SharedRingBuffer } from './index.js'
import { READ_POS, WRITE_POS } from './layout.js'

const wordsOf = (ring: SharedRingBuffer) => new Int32Array(ring.getSharedBuffer(), 0, 2)
const fill = (ring: SharedRingBuffer, size: number) => ring.write(new Uint8Array(size))

/** Resolves after all the waits there are on the word have been woken, once something wakes them. */
async function woken(ring: SharedRingBuffer, word: number): Promise<void> {
  const words = wordsOf(ring)
  await Atomics.waitAsync(words, word, Atomics.load(words, word)).value
}

describe.each<['waitReadable' | 'waitWritable']>([['waitReadable'], ['waitWritable']])(
  '%s, blocking and not',
  name => {
    test.each([0, -1, 1.5, Number.NaN, '1', null] as number[])(
      'waiting for %s bytes throws at once',
      async n => {
        const ring = new SharedRingBuffer(4)
        expect(() => ring[name](n)).toThrow(RangeError)
        await expect(ring[`${name}Async`](n)).rejects.toThrow(RangeError)
      },
    )

    test('waiting for more than the capacity throws at once, as it would never end', async () => {
      const ring = new SharedRingBuffer(256)
      expect(() => ring[name](300, { timeoutMs: 0 })).toThrow(
        /^Cannot wait for .*300 bytes: the ring holds 256$/,
      )
      await expect(ring[`${name}Async`](300, { timeoutMs: 0 })).rejects.toThrow(RangeError)
    })

    test.each([-1, Number.NaN, '5', null] as number[])('a timeout of %s is a RangeError', async timeoutMs => {
      const ring = new SharedRingBuffer(4)
      expect(() => ring[name](1, { timeoutMs })).toThrow('timeoutMs')
      await expect(ring[`${name}Async`](1, { timeoutMs })).rejects.toThrow(RangeError)
    })

    test('a signal that is none is a TypeError', async () => {
      const ring = new SharedRingBuffer(4)
      for (const signal of [null, {}, 'abort'] as unknown as AbortSignal[]) {
        expect(() => ring[name](1, { signal })).toThrow(/^signal must be an AbortSignal/)
        await expect(ring[`${name}Async`](1, { signal })).rejects.toThrow(TypeError)
      }
    })

    test('a signal aborted before is thrown, even when there is nothing to wait for', async () => {
      const ring = new SharedRingBuffer(4)
      fill(ring, 2)
      const options = { signal: AbortSignal.abort(new Error('changed my mind')) }
      expect(() => ring[name](1, options)).toThrow('changed my mind')
      await expect(ring[`${name}Async`](1, options)).rejects.toThrow('changed my mind')
    })

    test('n is 1 when not given', async () => {
      const ring = new SharedRingBuffer(2)
      fill(ring, 1)
      expect(ring[name]()).toBe(true)
      await expect(ring[`${name}Async`]()).resolves.toBe(true)
    })

    test('false after the timeout, and not before', async () => {
      const ring = new SharedRingBuffer(2)
      fill(ring, 1)
      for (const timeoutMs of [0, 20.5]) {
        let started = performance.now()
        expect(ring[name](2, { timeoutMs })).toBe(false)
        expect(performance.now() - started).toBeGreaterThanOrEqual(timeoutMs)
        started = performance.now()
        expect(await ring[`${name}Async`](2, { timeoutMs })).toBe(false)
        expect(performance.now() - started).toBeGreaterThanOrEqual(timeoutMs)
      }
    })
  },
)

describe('an asynchronous wait', () => {
  test('ends when enough has come, not when something has', async () => {
    const ring = new SharedRingBuffer(10)
    let enough = false
    const waiting = ring.waitReadableAsync(3).then(answer => {
      enough = answer
    })
    for (let times = 0; times < 2; times++) {
      const wake = woken(ring, WRITE_POS)
      fill(ring, 1)
      await wake
      expect(enough).toBe(false)
    }
    fill(ring, 5)
    await waiting
    expect(enough).toBe(true)
  })

  test('for room ends when enough has been read', async () => {
    const ring = new SharedRingBuffer(10)
    fill(ring, 10)
    const waiting = ring.waitWritableAsync(4)
    ring.read(3)
    ring.read(3)
    await expect(waiting).resolves.toBe(true)
  })

  test('does not mind being woken for nothing', async () => {
    const ring = new SharedRingBuffer(10)
    const waiting = ring.waitReadableAsync(1, { timeoutMs: 10_000 })
    for (let times = 0; times < 20; times++) {
      const wake = woken(ring, WRITE_POS)
      expect(Atomics.notify(wordsOf(ring), WRITE_POS)).toBe(2)
      await wake
    }
    fill(ring, 1)
    await expect(waiting).resolves.toBe(true)
  })

  test('rejects with the reason of its signal', async () => {
    const controller = new AbortController()
    const waiting = new SharedRingBuffer(4).waitReadableAsync(1, { signal: controller.signal })
    controller.abort(new Error('client gone'))
    await expect(waiting).rejects.toThrow('client gone')
  })

  test('lasts its whole time, even when that is longer than a timer can be', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      let answer: boolean | undefined
      const wait = new SharedRingBuffer(4).waitReadableAsync(1, { timeoutMs: 2 ** 32 })
      wait.then(value => {
        answer = value
      })
      await vi.advanceTimersByTimeAsync(2 ** 32 - 1)
      expect(answer).toBe(undefined)
      await vi.advanceTimersByTimeAsync(1)
      expect(answer).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })

  test('finds bytes that came while the thread was busy past its deadline', async () => {
    const ring = new SharedRingBuffer(4)
    const waiting = ring.waitReadableAsync(1, { timeoutMs: 5 })
    const busyUntil = performance.now() + 10
    while (performance.now() < busyUntil);
    fill(ring, 1)
    await expect(waiting).resolves.toBe(true)
  })

  test('I8: rejects when the header becomes impossible', async () => {
    const ring = new SharedRingBuffer(4)
    const waiting = ring.waitReadableAsync()
    Atomics.store(wordsOf(ring), WRITE_POS, 5)
    Atomics.notify(wordsOf(ring), WRITE_POS)
    await expect(waiting).rejects.toMatchObject({ code: 'CORRUPT_HEADER' })
  })
})

test('I6: every publication wakes who waits on the raw word', async () => {
  const ring = new SharedRingBuffer(10)
  const words = wordsOf(ring)
  const publications: [number, () => void][] = [
    [WRITE_POS, () => fill(ring, 2)],
    [WRITE_POS, () => ring.writev([new Uint8Array(1), new Uint8Array(1)])],
    [
      WRITE_POS,
      () => {
        ring.reserve(2)
        ring.commit(2)
      },
    ],
    [READ_POS, () => ring.read(2)],
    [READ_POS, () => ring.readInto(new Uint8Array(2))],
    [
      READ_POS,
      () => {
        ring.peek(2)
        ring.consume(2)
      },
    ],
  ]
  for (const [word, publish] of publications) {
    const { value } = Atomics.waitAsync(words, word, Atomics.load(words, word), 5000)
    publish()
    expect(await value).toBe('ok')
  }
})

test('I6: nothing published, nobody woken', () => {
  const ring = new SharedRingBuffer(10)
  const words = wordsOf(ring)
  for (const word of [WRITE_POS, READ_POS]) Atomics.waitAsync(words, word, 0)
  fill(ring, 0)
  ring.writev([])
  ring.reserve(5)
  ring.commit(0)
  fill(ring, 11)
  ring.read(1)
  ring.readInto(new Uint8Array(1))
  ring.peek(1)
  ring.consume(0)
  for (const word of [WRITE_POS, READ_POS]) expect(Atomics.notify(words, word)).toBe(1)
})

// Atomics.notify answers how many waits it ended: that counts what is outstanding.
test('I10: a thousand waits on several objects are one Atomics.waitAsync for each word', async () => {
  const ring = new SharedRingBuffer(10)
  const other = SharedRingBuffer.fromSharedBuffer(ring.getSharedBuffer())
  fill(ring, 10)
  const waits = Array.from({ length: 1000 }, (_, i) => (i % 2 ? ring : other).waitWritableAsync((i % 10) + 1))
  const wake = woken(ring, READ_POS)
  expect(Atomics.notify(wordsOf(ring), READ_POS)).toBe(2) // the other one is that of `woken`
  await wake
  const more = ring.waitWritableAsync(5)
  expect(Atomics.notify(wordsOf(ring), READ_POS)).toBe(1)
  ring.read(10)
  expect(await Promise.all([...waits, more])).not.toContain(false)
  const empty = [ring.waitReadableAsync(), other.waitReadableAsync()]
  expect(Atomics.notify(wordsOf(ring), WRITE_POS)).toBe(1)
  fill(ring, 1)
  await Promise.all(empty)
})

describe('I11: nothing is left behind', () => {
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  let before: number
  beforeEach(() => {
    before = timers()
  })
  const expectNothingLeft = (ring: SharedRingBuffer) => {
    expect(Atomics.notify(wordsOf(ring), WRITE_POS)).toBe(0)
    expect(timers()).toBe(before)
  }

  test('by waits that are aborted', async () => {
    const ring = new SharedRingBuffer(4)
    const controller = new AbortController()
    const { signal } = controller
    const waits = [1, 2, 3].map(n => ring.waitReadableAsync(n, { signal, timeoutMs: 60_000 }))
    controller.abort()
    await Promise.allSettled(waits)
    expectNothingLeft(ring)
  })

  test('by waits that time out', async () => {
    const ring = new SharedRingBuffer(4)
    await Promise.all([1, 2, 3].map(n => ring.waitReadableAsync(n, { timeoutMs: 5 })))
    expectNothingLeft(ring)
  })

  test('by waits that succeed', async () => {
    const ring = new SharedRingBuffer(4)
    const waits = [1, 2, 3].map(n => ring.waitReadableAsync(n, { timeoutMs: 60_000 }))
    fill(ring, 3)
    await Promise.all(waits)
    expectNothingLeft(ring)
  })

  test('and the waits that go on are not disturbed when others are given up', async () => {
    const ring = new SharedRingBuffer(4)
    const controller = new AbortController()
    const aborted = ring.waitReadableAsync(1, { signal: controller.signal })
    const late = ring.waitReadableAsync(2)
    controller.abort()
    await expect(aborted).rejects.toThrow()
    const first = new AbortController()
    const alone = new SharedRingBuffer(4)
    const gone = alone.waitReadableAsync(1, { signal: first.signal })
    first.abort()
    const successor = alone.waitReadableAsync(1) // made before the abandoned registration is known to be gone
    await expect(gone).rejects.toThrow()
    fill(ring, 2)
    fill(alone, 1)
    expect(await Promise.all([late, successor])).toEqual([true, true])
  })
})
