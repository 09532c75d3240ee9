import { SharedBufferError } from './errors.js'
import { completeWaitOptions, requireTimeout, type WaitOptions } from './pending.js'
import { allocateSharedMemory, describe, requireSharedMemory } from './shared-memory.js'
import { waitAsync, waitBlocking } from './wait.js'

// byte  word   written by                          range
//    0  state  whoever takes or gives up the lock   0..2
//
// The three-state futex mutex of Ulrich Drepper, "Futexes Are Tricky" (2011), section 5, except that unlock wakes
// every waiter (see wait.ts), so that a waiter needn't take the lock as CONTENDED: who sleeps on makes it so again.

const UNLOCKED = 0
const LOCKED = 1
/** Locked, and somebody may be waiting: whoever unlocks must notify. */
const CONTENDED = 2

/**
 * A lock that threads share. Each thread makes a SharedMutex of its own on the same buffer; the object that took
 * the lock must give it up. Not re-entrant, and not fair between threads. A thread that ends while it holds the
 * lock leaves it locked.
 */
export class SharedMutex {
  /** The memory of the lock: post it to the other threads. */
  readonly buffer: SharedArrayBuffer
  readonly #state: Int32Array
  #held = false

  /**
   * A new lock, or the one in `buffer` at `byteOffset` (4 bytes, zero when new).
   * @throws {TypeError} when `buffer` is no SharedArrayBuffer, or a growable one.
   * @throws {RangeError} unless `byteOffset` is a multiple of 4 with 4 bytes behind it that hold a lock.
   */
  constructor(buffer: SharedArrayBuffer = allocateSharedMemory(4), byteOffset = 0) {
    requireSharedMemory(buffer)
    if (
      !Number.isInteger(byteOffset) ||
      byteOffset < 0 ||
      byteOffset % 4 ||
      byteOffset + 4 > buffer.byteLength
    ) {
      throw new RangeError(
        `byteOffset must be a multiple of 4 with 4 bytes of the ${buffer.byteLength} behind it, got ${describe(byteOffset)}`,
      )
    }
    this.buffer = buffer
    this.#state = new Int32Array(buffer, byteOffset, 1)
    // I14: a word that is no lock's would never be unlocked.
    const state = Atomics.load(this.#state, 0)
    if (state < UNLOCKED || state > CONTENDED)
      throw new RangeError(`buffer must hold a lock, got the word ${state}`)
  }

  /** Takes the lock if it is free. Never waits. */
  tryLock(): boolean {
    // I14: of all threads that find it free, one gets it.
    if (Atomics.compareExchange(this.#state, 0, UNLOCKED, LOCKED) !== UNLOCKED) return false
    this.#held = true
    return true
  }

  /**
   * Blocks its thread until it has the lock.
   * @param timeoutMs milliseconds, 0 to Infinity (the default).
   * @throws {SharedBufferError} `TIMEOUT`; `DEADLOCK` when this object holds the lock already; `BLOCKING_FORBIDDEN`
   * when it would have to wait on a browser's main thread.
   */
  lock(timeoutMs: number = Number.POSITIVE_INFINITY): void {
    requireTimeout(timeoutMs)
    if (this.#held) {
      throw new SharedBufferError(
        'DEADLOCK',
        'Cannot lock: this thread holds the lock, blocking it would be for ever',
      )
    }
    if (waitBlocking(this.#state, seen => this.#take(seen), timeoutMs) === undefined)
      throw timedOut(timeoutMs)
  }

  /**
   * Resolves when it has the lock. Calls of one thread get it in their order. While it waits it keeps the process
   * alive. Rejects with `TIMEOUT` after `timeoutMs` (for ever when left out), or with the signal's reason.
   */
  async lockAsync(options: WaitOptions = {}): Promise<void> {
    const wait = completeWaitOptions(options, Number.POSITIVE_INFINITY)
    const taken = await waitAsync(this.#state, seen => this.#take(seen), wait)
    if (taken === undefined) throw timedOut(wait.timeoutMs)
  }

  /**
   * Gives the lock up, and wakes those who wait for it.
   * @throws {SharedBufferError} `NOT_HELD` unless this object holds it.
   */
  unlock(): void {
    if (!this.#held)
      throw new SharedBufferError('NOT_HELD', 'Cannot unlock: this object does not hold the lock')
    this.#held = false
    // I15: LOCKED means that nobody sleeps; only this exchange ends CONTENDED, and it is followed by the notify.
    if (Atomics.exchange(this.#state, 0, UNLOCKED) === CONTENDED) {
      // I6: all of them.
      Atomics.notify(this.#state, 0)
    }
  }

  /**
   * Runs `fn` with the lock, which it waits for without blocking, and gives the lock up when `fn` has returned,
   * thrown, or its promise has settled. Resolves or rejects as `fn` does; rejects like {@link lockAsync}.
   */
  async run<T>(fn: () => T | PromiseLike<T>, options: WaitOptions = {}): Promise<T> {
    if (typeof fn !== 'function') throw new TypeError(`fn must be a function, got ${describe(fn)}`)
    await this.lockAsync(options)
    try {
      return await fn()
    } finally {
      this.unlock()
    }
  }

  /** An attempt (wait.ts) to take the lock. Refused, it leaves word that somebody waits. */
  #take(seen: number): true | number {
    if (seen < UNLOCKED || seen > CONTENDED) {
      throw new SharedBufferError('CORRUPT_STATUS', `Cannot lock: the word ${seen} is no lock's`)
    }
    if (seen === UNLOCKED && this.tryLock()) return true
    // I15: before this waiter sleeps.
    if (seen === LOCKED) Atomics.compareExchange(this.#state, 0, LOCKED, CONTENDED)
    // Not on `seen`: LOCKED may come again, by a thread that knows of no waiter.
    return CONTENDED
  }
}

function timedOut(timeoutMs: number): SharedBufferError {
  return new SharedBufferError('TIMEOUT', `Cannot lock: others held the lock for ${timeoutMs} ms`)
}
