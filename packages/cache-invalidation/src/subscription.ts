import type { EventEmitter } from 'node:events'
import type { Cluster, Redis } from 'ioredis'
import { Agreement } from './agreement.js'
import { ChannelLink } from './channel-link.js'
import type { FencedCache } from './coherent-cache.js'
import { isTimeout, withDeadline } from './deadline.js'
import type { Deliveries } from './deliveries.js'
import { CacheInvalidationError, reasonOf } from './error.js'
import type { LogPosition } from './log.js'
import { LogFollower, type Receiver } from './log-follower.js'
import { decodeMessage } from './message.js'

/** How long `unsubscribe` waits for Redis, and for a handler under way, in milliseconds. */
const closeTimeout = 1000
/**
 * - `synchronised`: connected, and all that was missed has been read and handed over
 * - `replaying`: connected; what was missed is being read or handed over, or it is not known yet whether anything was
 * - `degraded`: the connection or the log is out of reach, or `onFlush` fails: the cache may hold what is stale
 */
export type CacheSubscriptionStatus = 'synchronised' | 'replaying' | 'degraded'

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

/** Keeps a client subscribed and in step with the log, over every break. */
export class Subscription implements CacheSubscription {
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
  readonly #cache: FencedCache<unknown> | undefined
  readonly #agreement = new Agreement()
  readonly #follower: LogFollower
  readonly #answerMs: number
  readonly #timer: NodeJS.Timeout
  readonly #listeners: Parameters<EventEmitter['on']>[]
  readonly #report: (error: CacheInvalidationError) => void

  constructor(
    client: Redis | Cluster,
    channel: string,
    deliveries: Deliveries,
    cache: FencedCache<unknown> | undefined,
    report: (error: CacheInvalidationError) => void,
    intervalMs: number,
    answerMs: number,
  ) {
    this.channel = channel
    this.#client = client
    this.#deliveries = deliveries
    this.#cache = cache
    cache?.follow(this.#agreement)
    this.#report = report
    this.#answerMs = answerMs
    this.#link = new ChannelLink(client, channel)
    this.#follower = new LogFollower(cache ? cacheFirst(cache, deliveries) : deliveries, report)
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
    this.#leaveStep('degraded')
    this.#cache?.unfollow()
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
    this.#leaveStep('replaying')
    const attempt = this.#attempt
    this.#handshakeSince = undefined
    this.#follower.hold()
    try {
      await this.#answer(this.#link.subscribe())
      if (attempt !== this.#attempt) return
      let isLive = false
      while (!isLive) {
        const lookBegan = performance.now()
        const page = await this.#answer(this.#link.readLog(this.#follower.startReading(), this.#startedAt))
        if (attempt !== this.#attempt) return
        const isRead = this.#follower.apply(page)
        // A page at a time: a long log doesn't have to fit into the memory.
        await this.#deliveries.idle()
        if (attempt !== this.#attempt) return
        isLive = isRead && this.#follower.goLive()
        if (isLive) this.#agreement.confirm(lookBegan)
      }
      // What arrived while the log was read is with the cache already, but not yet with the handlers.
      await this.#deliveries.idle()
      if (attempt !== this.#attempt) return
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
    const lookBegan = performance.now()
    try {
      const log = this.#link.readLog(this.#follower.startReading(), this.#startedAt)
      const [page] = await this.#answer(Promise.all([log, this.#link.ping()]))
      if (attempt !== this.#attempt) return
      if (this.#follower.agrees(page)) this.#agreement.confirm(lookBegan)
      else void this.#synchronise()
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error)
    } finally {
      this.#isProbing = false
    }
  }

  /** Whatever is under way to get in step, or to see whether it is, counts no more. */
  #leaveStep(status: CacheSubscriptionStatus): void {
    this.#attempt += 1
    this.#status = status
    this.#agreement.lose()
  }

  #fail(error: unknown): void {
    this.#leaveStep('degraded')
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
    this.#leaveStep('degraded')
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

/** The cache obeys at once, so that a slow handler keeps nothing stale in it. */
function cacheFirst(cache: FencedCache<unknown>, deliveries: Deliveries): Receiver {
  return {
    push(message, bytes, position) {
      if (message.flush) cache.flush()
      else cache.invalidate(message.keys)
      deliveries.push(message, bytes, position)
    },
    flush(reason, position) {
      cache.flush()
      deliveries.flush(reason, position)
    },
    adopt: position => deliveries.adopt(position),
  }
}
