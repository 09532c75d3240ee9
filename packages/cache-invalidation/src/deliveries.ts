import { setTimeout as delay } from 'node:timers/promises'
import { DeadlineError, withDeadline } from './deadline.js'
import { CacheInvalidationError, type FlushReason, reasonOf } from './error.js'
import type { Cursor } from './log.js'
import type { Message } from './message.js'

/** Waits before the second and the third attempt of `onInvalidate`, in milliseconds. */
const retryDelays = [50, 250]
const longestFlushDelay = 5000

interface Handlers {
  onInvalidate: (keys: string[]) => unknown
  onFlush: ((reason: FlushReason) => unknown) | undefined
  report: (error: CacheInvalidationError) => void
  /** How long one call of either may take, in milliseconds. */
  timeoutMs: number
  maxPending: number
  maxPendingBytes: number
}

type Delivery = { position: Cursor | undefined } & (
  | { keys: string[]; bytes: number }
  | { flush: FlushReason }
)

/**
 * Calls the handlers one after the other, in order. The position moves when what lies before it has
 * been taken over: keys by `onInvalidate`, or everything by `onFlush`.
 */
export class Deliveries {
  #position: Cursor | undefined
  #queue: Delivery[] = []
  #pendingBytes = 0
  #running = false
  #failing = false
  #inFlight: Promise<void> = Promise.resolve()
  readonly #stop = new AbortController()
  readonly #handlers: Handlers
  readonly #idle = new Set<() => void>()

  constructor(handlers: Handlers) {
    this.#handlers = handlers
  }

  /** Up to where everything has been taken over. */
  get position(): Cursor | undefined {
    return this.#position
  }

  /** Whether `onFlush` has failed and is called again and again. */
  get failing(): boolean {
    return this.#failing
  }

  /** Something to hand over; `position` is where the log has been read up to with it. */
  push({ keys, flush }: Message, bytes: number, position: Cursor | undefined): void {
    const { maxPending, maxPendingBytes } = this.#handlers
    if (flush || this.#queue.length >= maxPending || this.#pendingBytes + bytes > maxPendingBytes) {
      this.flush('overflow', position)
      return
    }
    this.#pendingBytes += bytes
    this.#add({ keys, bytes, position })
  }

  /** Everything goes; keys that wait go with it. */
  flush(flush: FlushReason, position: Cursor | undefined): void {
    // A flush that hasn't begun covers this one too; its reason came first.
    const waiting = this.#queue.find(delivery => 'flush' in delivery)
    this.#queue = []
    this.#pendingBytes = 0
    this.#add(waiting ? { ...waiting, position } : { flush, position })
  }

  /** Takes a position over that nothing has to be done for: the first one. */
  adopt(position: Cursor): void {
    this.#position = position
  }

  /** Resolves when nothing waits any more, or after `stop`. */
  idle(): Promise<void> {
    if (!this.#running || this.#stop.signal.aborted) return Promise.resolve()
    return new Promise(resolve => this.#idle.add(resolve))
  }

  /** Begins no further call; waits for the one under way, `timeoutMs` at most. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stop.abort()
    this.#queue = []
    this.#wakeIdle()
    await withDeadline(this.#inFlight, timeoutMs).catch(() => {})
  }

  #add(delivery: Delivery): void {
    if (this.#stop.signal.aborted) return
    this.#queue.push(delivery)
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    for (let delivery = this.#queue.shift(); delivery; delivery = this.#queue.shift()) {
      if ('flush' in delivery) {
        await this.#flushUntilDone(delivery.flush)
      } else {
        this.#pendingBytes -= delivery.bytes
        if (!(await this.#invalidate(delivery.keys))) {
          this.flush('handler', this.#queue.at(-1)?.position ?? delivery.position)
          continue
        }
      }
      if (this.#stop.signal.aborted) break
      this.#position = delivery.position ?? this.#position
    }
    this.#running = false
    this.#wakeIdle()
  }

  async #invalidate(keys: string[]): Promise<boolean> {
    for (let attempt = 0; !this.#stop.signal.aborted; attempt += 1) {
      try {
        await this.#call(() => this.#handlers.onInvalidate([...keys]))
        return true
      } catch (cause) {
        // One that takes too long may still be at work: a second at the same time would break the order.
        const pause = cause instanceof DeadlineError ? undefined : retryDelays[attempt]
        if (pause !== undefined) {
          await this.#pause(pause)
          continue
        }
        const message = `onInvalidate failed with ${keys.length} keys, attempt ${attempt + 1}: ${reasonOf(cause)}`
        this.#handlers.report(new CacheInvalidationError('HANDLER_FAILED', message, { cause }))
        return false
      }
    }
    return true
  }

  async #flushUntilDone(reason: FlushReason): Promise<void> {
    const { onFlush, report } = this.#handlers
    if (!onFlush) {
      const message = `Everything cached has to go (${reason}), and there is no onFlush`
      report(new CacheInvalidationError('FLUSH_REQUIRED', message, { reason }))
      return
    }
    for (let pause = 100; !this.#stop.signal.aborted; pause = Math.min(2 * pause, longestFlushDelay)) {
      try {
        await this.#call(() => onFlush(reason))
        this.#failing = false
        return
      } catch (cause) {
        this.#failing = true
        const message = `onFlush failed (${reason}), it will be called again: ${reasonOf(cause)}`
        report(new CacheInvalidationError('FLUSH_FAILED', message, { cause, reason }))
      }
      await this.#pause(pause)
    }
  }

  async #call(handler: () => unknown): Promise<void> {
    const outcome = handler()
    // One that is done can't be late.
    if (typeof (outcome as PromiseLike<unknown> | undefined)?.then !== 'function') return
    const running = Promise.resolve(outcome as PromiseLike<unknown>)
    this.#inFlight = running.then(
      () => {},
      () => {},
    )
    await withDeadline(running, this.#handlers.timeoutMs)
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { ref: false, signal: this.#stop.signal }).catch(() => {})
  }

  #wakeIdle(): void {
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }
}
