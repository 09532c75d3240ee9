import { listenToAbort } from './abort.js'
import { describe } from './shared-memory.js'

/** How long a waiting call may take. */
export interface WaitOptions {
  /** Milliseconds, 0 or more; `Infinity` waits for ever. */
  timeoutMs?: number | undefined
  /** Ends the wait early: the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** Longest delay that setTimeout takes; a longer one would fire at once. */
const MAX_TIMER_MS = 0x7fff_ffff

/** Throws unless `timeoutMs` is a number of milliseconds from 0 to Infinity. */
export function requireTimeout(timeoutMs: number): void {
  if (typeof timeoutMs !== 'number')
    throw new TypeError(`timeoutMs must be a number, got ${describe(timeoutMs)}`)
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be 0 or more, got ${timeoutMs}`)
}

/** Checks a caller's options and fills in what it left out; throws the signal's reason when that was aborted before. */
export function completeWaitOptions(options: WaitOptions, defaultTimeoutMs: number): CompleteWaitOptions {
  const { timeoutMs = defaultTimeoutMs, signal } = options
  requireTimeout(timeoutMs)
  if (signal !== undefined) {
    if (typeof signal?.addEventListener !== 'function' || typeof signal.throwIfAborted !== 'function') {
      throw new TypeError(`signal must be an AbortSignal, got ${describe(signal)}`)
    }
    signal.throwIfAborted()
  }
  return { timeoutMs, signal }
}

/** {@link WaitOptions} after {@link completeWaitOptions}. */
export interface CompleteWaitOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * One waiting call: a promise with a deadline and a signal. Settling it, in whatever way, takes its timer
 * and its listener away. The timer is what keeps the process (or worker) alive while somebody waits, since a
 * pending Atomics.waitAsync does not; so there is one even when there is no deadline.
 */
export class Pending<T> {
  readonly promise: Promise<T>
  #settled = false
  #resolve!: (value: T) => void
  #reject!: (reason: unknown) => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopListening: (() => void) | undefined

  /** `onTimeout` and `onAbort` run at most once, and never after the call was settled. */
  constructor(options: CompleteWaitOptions, onTimeout: () => void, onAbort: () => void) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const { signal } = options
    if (signal !== undefined) {
      this.#stopListening = listenToAbort(signal, () => {
        this.reject(signal.reason)
        onAbort()
      })
    }
    this.#startTimer(performance.now() + options.timeoutMs, onTimeout)
  }

  get settled(): boolean {
    return this.#settled
  }

  resolve(value: T): void {
    if (this.#settle()) this.#resolve(value)
  }

  reject(reason: unknown): void {
    if (this.#settle()) this.#reject(reason)
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    clearTimeout(this.#timer)
    this.#stopListening?.()
    return true
  }

  #startTimer(deadline: number, onTimeout: () => void): void {
    // Rounded up, because timers count whole milliseconds and may come a little early.
    const delay = Math.min(Math.ceil(Math.max(0, deadline - performance.now())), MAX_TIMER_MS)
    this.#timer = setTimeout(() => {
      if (performance.now() < deadline) this.#startTimer(deadline, onTimeout)
      else onTimeout()
    }, delay)
  }
}
