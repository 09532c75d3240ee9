import { describe } from './argument.js'
import { RingBufferError } from './error.js'
import { watchOf } from './word-watch.js'

/** How long to wait. */
export interface WaitOptions {
  /** Milliseconds until the wait gives up and answers `false`; 0 only looks. Without it there is no limit. */
  timeoutMs?: number | undefined
  /** Ends the wait with the signal's reason. A blocked thread hears no signal: it is looked at once, before. */
  signal?: AbortSignal | undefined
}

/** A shared word, and what its next values may make true. */
export interface Condition {
  words: Int32Array<SharedArrayBuffer>
  word: number
  /** Must become true through changes of the word alone, each followed by a notify. */
  holds(): boolean
}

/** Timers take no more than this many milliseconds; a later one fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Blocks this thread until the condition holds (`true`) or time is up (`false`). */
export function waitUntil(condition: Condition, options: WaitOptions): boolean {
  const deadline = deadlineOf(options)
  for (;;) {
    const seen = Atomics.load(condition.words, condition.word) // I7: before the condition is looked at
    if (condition.holds()) return true
    const left = deadline - performance.now()
    if (left <= 0) return false
    try {
      Atomics.wait(condition.words, condition.word, seen, left) // I7: sleeps on that value only; why it woke is all one
    } catch (cause) {
      throw new RingBufferError(
        'WAIT_NOT_ALLOWED',
        'Cannot block this thread: Atomics.wait is not allowed on it, wait asynchronously instead',
        { cause },
      )
    }
  }
}

/**
 * Resolves to `true` once the condition holds and to `false` when time is up; rejects with the signal's
 * reason, or with what the condition throws. Until then a timer holds the event loop open (I11).
 */
export async function waitUntilAsync(condition: Condition, options: WaitOptions): Promise<boolean> {
  const deadline = deadlineOf(options)
  if (condition.holds()) return true
  if (deadline <= performance.now()) return false
  const { signal } = options
  const watch = watchOf(condition.words, condition.word)
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout>
    const startTimer = (): void => {
      const left = Math.ceil(deadline - performance.now())
      timer = setTimeout(onTimer, Math.min(left, LONGEST_TIMER))
    }
    const leave = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      watch.delete(check)
    }
    const check = (): boolean => {
      try {
        if (!condition.holds()) return false
        resolve(true)
      } catch (error) {
        reject(error)
      }
      leave()
      return true
    }
    const onTimer = (): void => {
      if (performance.now() < deadline) startTimer()
      else if (!check()) {
        leave()
        resolve(false)
      }
    }
    const onAbort = (): void => {
      leave()
      reject(signal?.reason)
    }
    startTimer()
    signal?.addEventListener('abort', onAbort, { once: true })
    watch.add(check)
  })
}

/** The time on `performance.now()`'s clock at which a wait that begins now ends. Throws for bad options. */
function deadlineOf({ timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions): number {
  if (!(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw new RangeError(`timeoutMs must be a number of milliseconds from 0 on, got ${describe(timeoutMs)}`)
  }
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw new TypeError(`signal must be an AbortSignal, got ${describe(signal)}`)
  }
  signal?.throwIfAborted()
  return performance.now() + timeoutMs
}
