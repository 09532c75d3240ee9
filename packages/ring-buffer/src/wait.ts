import { describe } from './argument.js'
import type { Doorbell } from './doorbell.js'
import { RingBufferError } from './error.js'
import { watchOf } from './word-watch.js'

/** How long to wait. */
export interface WaitOptions {
  /** Milliseconds until the wait gives up and answers `false`; 0 only looks. Without it there is no limit. */
  timeoutMs?: number | undefined
  /** Ends the wait with the signal's reason. A blocked thread hears no signal: it is looked at once, before. */
  signal?: AbortSignal | undefined
}

/** What is waited for, and where it is announced. */
export interface Condition {
  doorbell: Doorbell
  /** Must become true only through what is followed by a ring of the doorbell. */
  holds(): boolean
  /** How often to look before sleeping the first time. */
  spin?: number
}

/** Timers take no more than this many milliseconds; a later one fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Blocks this thread until the condition, which has just been seen not to hold, does (`true`) or time is up
 * (`false`). The options have been checked.
 */
export function waitUntil(condition: Condition, options: WaitOptions): boolean {
  const { doorbell, spin = 0 } = condition
  for (let look = 0; look < spin; look++) if (condition.holds()) return true
  let { timeoutMs: left = Number.POSITIVE_INFINITY } = options
  if (left === 0) return false
  const deadline = deadlineOf(options)
  try {
    for (;;) {
      const seen = doorbell.arm()
      if (condition.holds()) return true
      sleep(doorbell, seen, left)
      if (condition.holds()) return true // nothing need be armed anew
      left = deadline - performance.now()
      if (left <= 0) return false
    }
  } finally {
    doorbell.disarm()
  }
}

function sleep({ words, word }: Doorbell, seen: number, ms: number): void {
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
  requireWaitOptions(options)
  if (condition.holds()) return true
  const deadline = deadlineOf(options)
  if (deadline <= performance.now()) return false
  const { signal } = options
  const watch = watchOf(condition.doorbell)
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

/** Throws for bad options, and the reason of a signal that is aborted already. */
export function requireWaitOptions({ timeoutMs = 0, signal }: WaitOptions): void {
  if (!(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw new RangeError(`timeoutMs must be a number of milliseconds from 0 on, got ${describe(timeoutMs)}`)
  }
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw new TypeError(`signal must be an AbortSignal, got ${describe(signal)}`)
  }
  signal?.throwIfAborted()
}

/** The time on `performance.now()`'s clock at which a wait that begins now ends. */
function deadlineOf({ timeoutMs = Number.POSITIVE_INFINITY }: WaitOptions): number {
  return performance.now() + timeoutMs
}
