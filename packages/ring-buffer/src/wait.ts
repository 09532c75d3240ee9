import { describe } from './argument.js'
import { RingBufferError } from './error.js'
import { fallAsleep, wakeSleeper } from './sleeper.js'
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
  /** The word is a sleeper's flag, set before each sleep (sleeper.ts), and what it stands for is elsewhere. */
  flagged?: boolean
  /** How often to look before sleeping the first time, without setting the flag. */
  spin?: number
}

/** Timers take no more than this many milliseconds; a later one fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Blocks this thread until the condition holds (`true`) or time is up (`false`). */
export function waitUntil(condition: Condition, options: WaitOptions): boolean {
  const deadline = deadlineOf(options)
  const { words, word, flagged = false, spin = 0 } = condition
  for (let look = 0; look < spin; look++) if (condition.holds()) return true
  try {
    for (;;) {
      if (flagged) {
        // I13: most often there is no need to set the flag, or to set it again
        if (condition.holds()) return true
        if (deadline <= performance.now()) return false
      }
      const seen = flagged ? fallAsleep(words, word) : Atomics.load(words, word) // I7: before the condition is looked at
      if (condition.holds()) return true
      const left = deadline - performance.now()
      if (left <= 0) return false
      sleep(words, word, seen, left)
    }
  } finally {
    if (flagged) wakeSleeper(words, word) // I13: a flag left behind would cost the other side a notify
  }
}

function sleep(words: Int32Array<SharedArrayBuffer>, word: number, seen: number, ms: number): void {
  try {
    Atomics.wait(words, word, seen, ms) // I7: sleeps on that value only; why it woke is all one
  } catch (cause) {
    throw new RingBufferError(
      'WAIT_NOT_ALLOWED',
      'Cannot block this thread: Atomics.wait is not allowed on it, wait asynchronously instead',
      { cause },
    )
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
  const watch = watchOf(condition.words, condition.word, condition.flagged)
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
