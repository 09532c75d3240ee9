import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { rejectWaits, waitAsync, waitBlocking } from './wait.js'

afterEach(() => vi.restoreAllMocks())

const word = () => new Int32Array(new SharedArrayBuffer(4))
const forever = { timeoutMs: Number.POSITIVE_INFINITY, signal: undefined }
/** Succeeds when the word has the value. */
const when = (value: number) => (seen: number) => seen === value || seen

function set(shared: Int32Array, value: number): void {
  Atomics.store(shared, 0, value)
  Atomics.notify(shared, 0)
}

/** Resolves after notified waitAsyncs have had their turn. */
async function settle(): Promise<void> {
  const shared = word()
  const own = Atomics.waitAsync(shared, 0, 0)
  Atomics.notify(shared, 0)
  await own.value
  await new Promise(resolve => setImmediate(resolve))
}

describe('blocking', () => {
  test('I6: wake-ups that bring nothing new are slept through, up to one deadline', () => {
    const answers = ['ok', 'not-equal', 'ok', 'timed-out'] as const
    let now = 1000
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const timeouts: unknown[] = []
    vi.spyOn(Atomics, 'wait').mockImplementation((_word, _index, _value, timeout) => {
      timeouts.push(timeout)
      now += 30
      return answers[timeouts.length - 1] ?? 'timed-out'
    })
    expect(waitBlocking(word(), when(1), 100)).toBeUndefined()
    expect(timeouts).toEqual([100, 70, 40, 10])
  })

  test('I6: a change between look and sleep is not slept through', () => {
    const shared = word()
    let looks = 0
    const attempt = (seen: number) => {
      if (looks++ === 0) Atomics.store(shared, 0, 1)
      return when(1)(seen)
    }
    const answers: string[] = []
    const { wait } = Atomics
    vi.spyOn(Atomics, 'wait').mockImplementation((...args: Parameters<typeof wait>) => {
      const answer = wait(...args)
      answers.push(answer)
      return answer
    })
    expect(waitBlocking(shared, attempt, 1000)).toBe(true)
    expect(answers).toEqual(['not-equal'])
  })
})

describe('async', () => {
  test('I7: a thousand waits on a word are one waitAsync', async () => {
    const spy = vi.spyOn(Atomics, 'waitAsync')
    const shared = word()
    const made = () => spy.mock.calls.filter(([waited]) => (waited as unknown) === shared).length
    const waits = Array.from({ length: 1000 }, () => waitAsync(shared, when(2), forever))
    set(shared, 1)
    await settle()
    expect(made()).toBe(2)
    set(shared, 2)
    expect(new Set(await Promise.all(waits))).toEqual(new Set([true]))
    expect(made()).toBe(2)
  })

  test('I7: views of the same word share it, neighbouring words have their own', async () => {
    const buffer = new SharedArrayBuffer(8)
    const waitAsyncSpy = vi.spyOn(Atomics, 'waitAsync')
    const first = waitAsync(new Int32Array(buffer, 0, 1), when(1), forever)
    const same = waitAsync(new Int32Array(buffer, 0, 1), when(1), forever)
    const neighbour = waitAsync(new Int32Array(buffer, 4, 1), when(1), forever)
    expect(waitAsyncSpy).toHaveBeenCalledTimes(2)
    set(new Int32Array(buffer), 1)
    set(new Int32Array(buffer, 4), 1)
    await Promise.all([first, same, neighbour])
  })

  test('I7: when the last one gives up its waitAsync is ended, and a later wait works', async () => {
    const shared = word()
    const original = Atomics.waitAsync
    const outstanding: Promise<string>[] = []
    vi.spyOn(Atomics, 'waitAsync').mockImplementation((...args: Parameters<typeof original>) => {
      const wait = original(...args)
      if (wait.async) outstanding.push(wait.value)
      return wait
    })
    const [first, second] = [new AbortController(), new AbortController()]
    const waits = [first, second].map(({ signal }) => waitAsync(shared, when(1), { ...forever, signal }))
    first.abort()
    await expect(waits[0]).rejects.toThrow('aborted')
    expect(outstanding).toHaveLength(1)
    second.abort()
    await expect(waits[1]).rejects.toThrow('aborted')
    expect(await Promise.all(outstanding)).toEqual(['ok'])
    const later = waitAsync(shared, when(1), forever)
    set(shared, 1)
    expect(await later).toBe(true)
  })

  test('I7: a wait that begins while the last one’s waitAsync is being ended is woken all the same', async () => {
    const shared = word()
    const controller = new AbortController()
    const given = waitAsync(shared, when(1), { ...forever, signal: controller.signal })
    controller.abort()
    const kept = waitAsync(shared, when(1), forever)
    await expect(given).rejects.toThrow('aborted')
    await settle()
    set(shared, 1)
    expect(await kept).toBe(true)
  })

  test('I6: a change between look and sleep is not slept through', async () => {
    const shared = word()
    let looks = 0
    const attempt = (seen: number) => {
      if (looks++ === 1) Atomics.store(shared, 0, 1)
      return when(1)(seen)
    }
    expect(await waitAsync(shared, attempt, forever)).toBe(true)
    expect(looks).toBe(3)
  })

  test('I6: an attempt that changes the word lets the others look at the new value', async () => {
    const shared = word()
    const second = waitAsync(shared, when(2), forever)
    const first = waitAsync(
      shared,
      seen => {
        if (seen !== 1) return seen
        Atomics.store(shared, 0, 2)
        return true
      },
      forever,
    )
    set(shared, 1)
    expect(await Promise.all([first, second])).toEqual([true, true])
  })

  test('one that throws rejects alone', async () => {
    const shared = word()
    const bad = waitAsync(
      shared,
      seen => {
        if (seen === 1) throw new Error('mine')
        return seen
      },
      forever,
    )
    const good = waitAsync(shared, when(1), forever)
    set(shared, 1)
    await expect(bad).rejects.toThrow('mine')
    expect(await good).toBe(true)
  })

  test('I8: however it ends, a wait leaves neither a timer nor a listener', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const shared = word()
      const { signal } = new AbortController()
      const aborter = new AbortController()
      const waits = [
        waitAsync(shared, when(1), { timeoutMs: 60_000, signal }),
        waitAsync(shared, when(2), { timeoutMs: 1, signal }),
        waitAsync(shared, when(2), { timeoutMs: Number.POSITIVE_INFINITY, signal: aborter.signal }),
      ]
      expect(vi.getTimerCount()).toBe(3)
      expect(getEventListeners(signal, 'abort')).toHaveLength(1)
      expect(getEventListeners(aborter.signal, 'abort')).toHaveLength(1)
      set(shared, 1)
      aborter.abort(new Error('enough'))
      vi.advanceTimersByTime(1)
      const [served, late, aborted] = await Promise.allSettled(waits)
      expect(served).toMatchObject({ value: true })
      expect(late).toMatchObject({ value: undefined })
      expect(aborted).toMatchObject({ reason: new Error('enough') })
      expect(vi.getTimerCount()).toBe(0)
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
      expect(getEventListeners(aborter.signal, 'abort')).toHaveLength(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('a deadline beyond what timers take, does not come at once', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const ended = vi.fn()
      const days = 40 * 24 * 60 * 60 * 1000
      const wait = waitAsync(word(), when(1), { timeoutMs: days, signal: undefined }).then(ended)
      await vi.advanceTimersByTimeAsync(days - 1)
      expect(ended).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(2)
      await wait
      expect(ended).toHaveBeenCalledWith(undefined)
    } finally {
      vi.useRealTimers()
    }
  })

  test('a wait of no time only looks', async () => {
    const made = vi.spyOn(Atomics, 'waitAsync')
    const timers = vi.spyOn(globalThis, 'setTimeout')
    expect(await waitAsync(word(), when(1), { timeoutMs: 0, signal: undefined })).toBeUndefined()
    expect(await waitAsync(word(), when(0), { timeoutMs: 0, signal: undefined })).toBe(true)
    expect(made).not.toHaveBeenCalled()
    expect(timers).not.toHaveBeenCalled()
  })

  test('at its deadline a wait looks once more', async () => {
    const shared = word()
    const wait = waitAsync(shared, when(1), { timeoutMs: 10, signal: undefined })
    Atomics.store(shared, 0, 1)
    expect(await wait).toBe(true)
  })

  test('waits that are rejected from outside are those of that very view', async () => {
    const buffer = new SharedArrayBuffer(4)
    const [a, b] = [new Int32Array(buffer), new Int32Array(buffer)]
    const ofA = waitAsync(a, when(1), forever)
    const ofB = waitAsync(b, when(1), forever)
    rejectWaits(a, () => new Error('over'))
    await expect(ofA).rejects.toThrow('over')
    set(b, 1)
    expect(await ofB).toBe(true)
    rejectWaits(a, () => new Error('nobody waits'))
  })

  test('where Atomics.waitAsync is missing, waiting is a clear error', async () => {
    const { waitAsync: original } = Atomics
    Object.assign(Atomics, { waitAsync: undefined })
    try {
      await expect(waitAsync(word(), when(1), forever)).rejects.toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED' }),
      )
      expect(await waitAsync(word(), when(0), forever)).toBe(true)
    } finally {
      Object.assign(Atomics, { waitAsync: original })
    }
  })
})
