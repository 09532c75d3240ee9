import type { EventEmitter } from 'node:events'
import type { Cluster, Redis } from 'ioredis'
import { ChannelLink } from './channel-link.js'
import { isTimeout, withDeadline } from './deadline.js'
import { Deliveries } from './deliveries.js'
import { CacheInvalidationError, type FlushReason, reasonOf } from './error.js'
import type { LogPosition } from './log.js'
import { LogFollower } from './log-follower.js'
import { decodeMessage } from './message.js'
import { checkChannel, checkClient, checkPositive, DEFAULT_CACHE_INVALIDATION_CHANNEL } from './options.js'

const maxTimer = 2 ** 31 - 1
/** How long `unsubscribe` waits for Redis, and for a handler under way, in milliseconds. */
const closeTimeout = 1000
/** What may wait for `onInvalidate`. */
const maxPending = 10_000
const maxPendingBytes = 16 * 1024 * 1024

/**
 * - `synchronised`: connected, and all that was missed has been read
 * - `replaying`: connected; what was missed is being read, or it is not known yet whether anything was
 * - `degraded`: the connection or the log is out of reach, or `onFlush` fails: the cache may hold what is stale
 */
export type CacheSubscriptionStatus = 'synchronised' | 'replaying' | 'degraded'

/** Whom to tell of stale keys, and how closely the connection is watched. */
export interface CacheSubscriptionOptions {
  /**
   * A client of ioredis, connected or not, RESP2 or RESP3. It stays the caller's, who ends it. A RESP2 client
   * gets a second connection, made with `duplicate()`, for the log.
   */
  subscriber: Redis | Cluster
  /**
   * Called with the keys of one message at a time, in the order of the log; the next call waits for the
   * promise. When it throws it is called with the same keys twice more, after 50 and 250 ms; then everything
   * is flushed. It must bear keys that it was given before.
   */
  onInvalidate: (keys: string[]) => void | Promise<void>
  /**
   * Everything cached has to go. Called until it succeeds, in order with `onInvalidate`. Without it the
   * reason goes to `onError`, `code` `FLUSH_REQUIRED`; without that too, it becomes a process warning.
   */
  onFlush?: (reason: FlushReason) => void | Promise<void>
  /** Default {@link DEFAULT_CACHE_INVALIDATION_CHANNEL}. */
  channel?: string
  /** Told of what went wrong; what it throws becomes a process warning. */
  onError?: (error: CacheInvalidationError) => void | Promise<void>
  /** A question every `intervalMs` (default 750), whose answer may take `timeoutMs` (default 1500). */
  heartbeat?: { intervalMs?: number; timeoutMs?: number }
  /** How long a call of `onInvalidate` or `onFlush` may take, in milliseconds; default 30 000. */
  handlerTimeoutMs?: number
}

/** A running subscription. */
export interface CacheSubscription {
  readonly channel: string
  readonly status: CacheSubscriptionStatus
  /** Up to where the log has been taken over; undefined before the first contact. */
  readonly position: LogPosition | undefined
  /**
   * Ends the subscription; the client stays open. No handler is called any more; one under way is waited
   * for, and so is Redis, for 1 s at most. Never rejects; a second call gets the same promise.
   */
  unsubscribe(): Promise<void>
}

class Subscription implements CacheSubscription {
  readonly channel: string
  #status: CacheSubscriptionStatus = 'replaying'
  /** Counts the attempts to get in step: what belongs to an older one is void. */
  #attempt = 0
  #isProbing = false
  #handshakeSince: number | undefined
  #lastFailure: string | undefined
  #closed: Promise<void> | undefined
  readonly #startedAt = performance.now()
  readonly #client: Redis | Cluster
  readonly #link: ChannelLink
  readonly #deliveries: Deliveries
  readonly #follower: LogFollower
  readonly #answerMs: number
  readonly #timer: NodeJS.Timeout
  readonly #listeners: Parameters<EventEmitter['on']>[]
  readonly #report: (error: CacheInvalidationError) => void

  constructor(
    client: Redis | Cluster,
    channel: string,
    deliveries: Deliveries,
    report: (error: CacheInvalidationError) => void,
    intervalMs: number,
    answerMs: number,
  ) {
    this.channel = channel
    this.#client = client
    this.#deliveries = deliveries
    this.#report = report
    this.#answerMs = answerMs
    this.#link = new ChannelLink(client, channel)
    this.#follower = new LogFollower(deliveries, report)
    const name = Buffer.from(channel)
    this.#listeners = [
      // The buffer, because its size is looked at before it becomes a string.
      ['messageBuffer', (from: Buffer, bytes: Buffer) => from.equals(name) && this.#receive(bytes)],
      ['ready', () => void this.#synchronise()],
      ['close', () => this.#interrupt()],
      ['error', (cause: unknown) => this.#reportConnection(reasonOf(cause), cause)],
      ['end', () => this.#reportConnection('the client has ended and will not connect again')],
    ]
    for (const [event, listener] of this.#listeners) (client as EventEmitter).on(event, listener)
    this.#timer = setInterval(() => this.#beat(), intervalMs).unref()
    if (client.status === 'ready') void this.#synchronise()
    else if (client.status === 'wait') client.connect().catch(() => {})
    else if (client.status !== 'connecting' && client.status !== 'connect') this.#interrupt()
  }

  get status(): CacheSubscriptionStatus {
    return this.#deliveries.failing ? 'degraded' : this.#status
  }

  get position(): LogPosition | undefined {
    const { epoch = '', sequence = 0 } = this.#deliveries.position ?? {}
    return epoch === '' ? undefined : { epoch, sequence }
  }

  unsubscribe(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    this.#attempt += 1
    this.#status = 'degraded'
    for (const [event, listener] of this.#listeners) (this.#client as EventEmitter).off(event, listener)
    await Promise.all([this.#deliveries.stop(closeTimeout), this.#link.release(closeTimeout)])
  }

  #receive(bytes: Buffer): void {
    try {
      const isInOrder = this.#follower.offer(decodeMessage(bytes), bytes.byteLength)
      if (!isInOrder) void this.#synchronise()
    } catch (error) {
      this.#report(error as CacheInvalidationError)
    }
  }

  /** Subscribes, reads what was missed, merges what arrived meanwhile, goes on live. */
  async #synchronise(): Promise<void> {
    this.#attempt += 1
    const attempt = this.#attempt
    this.#status = 'replaying'
    this.#handshakeSince = undefined
    this.#follower.hold()
    try {
      await this.#answer(this.#link.subscribe())
      if (attempt !== this.#attempt) return
      let isLive = false
      while (!isLive) {
        const page = await this.#answer(this.#link.readLog(this.#follower.startReading(), this.#startedAt))
        if (attempt !== this.#attempt) return
        const isRead = this.#follower.apply(page)
        // A page at a time: a long log doesn't have to fit into the memory.
        await this.#deliveries.idle()
        if (attempt !== this.#attempt) return
        isLive = isRead && this.#follower.goLive()
      }
      this.#status = 'synchronised'
      this.#lastFailure = undefined
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error)
    }
  }

  #beat(): void {
    const { status } = this.#client
    if (status === 'connect') {
      // Connected, but the server doesn't answer the handshake, for which ioredis has no deadline.
      this.#handshakeSince ??= performance.now()
      if (performance.now() - this.#handshakeSince > 2 * this.#answerMs) this.#giveUp()
      return
    }
    this.#handshakeSince = undefined
    if (status !== 'ready') return
    if (this.#follower.mode === 'live') void this.#probe()
    else if (this.#follower.mode === 'direct' && this.#status === 'degraded') void this.#synchronise()
  }

  /** Asks the server whether it is there, and the log whether anything was missed. */
  async #probe(): Promise<void> {
    if (this.#isProbing) return
    this.#isProbing = true
    const attempt = this.#attempt
    try {
      const log = this.#link.readLog(this.#follower.startReading(), this.#startedAt)
      const [page] = await this.#answer(Promise.all([log, this.#link.ping()]))
      if (attempt === this.#attempt && !this.#follower.agrees(page)) void this.#synchronise()
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error)
    } finally {
      this.#isProbing = false
    }
  }

  #fail(error: unknown): void {
    this.#attempt += 1
    this.#status = 'degraded'
    if (isTimeout(error)) {
      this.#giveUp(error)
      return
    }
    this.#follower.goDirect()
    if (this.#client.status !== 'ready') return
    // Tried again with every heartbeat: said once.
    const failure = reasonOf(error)
    if (failure !== this.#lastFailure)
      this.#report(
        error instanceof CacheInvalidationError
          ? error
          : new CacheInvalidationError('REDIS_UNAVAILABLE', `The connection failed: ${failure}`, {
              cause: error,
            }),
      )
    this.#lastFailure = failure
  }

  #giveUp(cause?: unknown): void {
    this.#interrupt()
    this.#report(
      new CacheInvalidationError(
        'HEARTBEAT_MISSED',
        `Redis gave no answer on ${this.channel} in time: the connection is made anew`,
        { cause },
      ),
    )
    this.#link.reconnect()
  }

  #interrupt(): void {
    this.#attempt += 1
    this.#status = 'degraded'
    this.#handshakeSince = undefined
    this.#follower.interrupt()
  }

  #reportConnection(why: string, cause?: unknown): void {
    this.#report(
      new CacheInvalidationError('REDIS_UNAVAILABLE', `The connection to Redis failed: ${why}`, { cause }),
    )
  }

  #answer<T>(answer: Promise<T>): Promise<T> {
    return withDeadline(answer, this.#answerMs)
  }
}

/**
 * Calls `onInvalidate` with every key that is published on the channel from now on, in order, also with
 * those published while the connection was broken: they are read from the log. Where that can't be done
 * `onFlush` is called instead. Returns at once, whether Redis is there or not.
 *
 * Keys sent by a plain `PUBLISH` of `{"keys":["a"]}` are honoured, but are in no log: what was sent while the
 * connection was broken is lost.
 *
 * @throws TypeError or RangeError for a bad option
 */
export function subscribeToCacheInvalidation({
  subscriber,
  onInvalidate,
  onFlush,
  channel = DEFAULT_CACHE_INVALIDATION_CHANNEL,
  onError,
  heartbeat: { intervalMs = 750, timeoutMs = 1500 } = {},
  handlerTimeoutMs = 30_000,
}: CacheSubscriptionOptions): CacheSubscription {
  checkClient('subscriber', subscriber)
  checkChannel(channel)
  if (subscriber.status === 'end') throw new TypeError('subscriber has ended: it connects no more')
  for (const [name, handler] of Object.entries({ onInvalidate, onFlush, onError }))
    if (typeof handler !== 'function' && (handler !== undefined || name === 'onInvalidate'))
      throw new TypeError(`${name} must be a function, not ${handler}`)
  checkPositive('heartbeat.intervalMs', intervalMs, maxTimer)
  checkPositive('heartbeat.timeoutMs', timeoutMs, maxTimer)
  checkPositive('handlerTimeoutMs', handlerTimeoutMs, maxTimer)

  const warn = (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error))
  const report = (error: CacheInvalidationError) => {
    // An exception here would end the process from inside an event: an async callback's, too.
    if (onError) Promise.resolve(error).then(onError).catch(warn)
    else if (error.code === 'FLUSH_REQUIRED') warn(error)
  }
  const deliveries = new Deliveries({
    onInvalidate,
    onFlush,
    report,
    timeoutMs: handlerTimeoutMs,
    maxPending,
    maxPendingBytes,
  })
  return new Subscription(subscriber, channel, deliveries, report, intervalMs, timeoutMs)
}
