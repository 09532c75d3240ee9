import type { Cluster, Redis } from 'ioredis'
import { type CoherentCache, FencedCache } from './coherent-cache.js'
import { Deliveries } from './deliveries.js'
import type { CacheInvalidationError, FlushReason } from './error.js'
import { checkChannel, checkClient, checkPositive, DEFAULT_CACHE_INVALIDATION_CHANNEL } from './options.js'
import { type CacheSubscription, Subscription } from './subscription.js'

const maxTimer = 2 ** 31 - 1
/** What may wait for `onInvalidate`. */
const maxPending = 10_000
const maxPendingBytes = 16 * 1024 * 1024

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
   * is flushed. It must bear keys that it was given before. Needed unless there is a `cache`.
   */
  onInvalidate?: (keys: string[]) => void | Promise<void>
  /**
   * Everything cached has to go. Called until it succeeds, in order with `onInvalidate`. Without it the
   * reason goes to `onError`, `code` `FLUSH_REQUIRED`; without that too, it becomes a process warning.
   */
  onFlush?: (reason: FlushReason) => void | Promise<void>
  /**
   * A cache of `createCoherentCache` to keep in step, instead of or beside the handlers: it obeys before they are
   * called, and waits for none of them. It is emptied first, and obeys one subscription at a time. After
   * `unsubscribe` it counts as out of step: see `maxStaleMs`.
   */
  cache?: CoherentCache<unknown>
  /** Default {@link DEFAULT_CACHE_INVALIDATION_CHANNEL}. */
  channel?: string
  /** Told of what went wrong; what it throws becomes a process warning. */
  onError?: (error: CacheInvalidationError) => void | Promise<void>
  /** A question every `intervalMs` (default 750), whose answer may take `timeoutMs` (default 1500). */
  heartbeat?: { intervalMs?: number; timeoutMs?: number }
  /** How long a call of `onInvalidate` or `onFlush` may take, in milliseconds; default 30 000. */
  handlerTimeoutMs?: number
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
  cache,
  channel = DEFAULT_CACHE_INVALIDATION_CHANNEL,
  onError,
  heartbeat: { intervalMs = 750, timeoutMs = 1500 } = {},
  handlerTimeoutMs = 30_000,
}: CacheSubscriptionOptions): CacheSubscription {
  checkClient('subscriber', subscriber)
  checkChannel(channel)
  if (subscriber.status === 'end') throw new TypeError('subscriber has ended: it connects no more')
  for (const [name, handler] of Object.entries({ onInvalidate, onFlush, onError }))
    if (typeof handler !== 'function' && handler !== undefined)
      throw new TypeError(`${name} must be a function, not ${handler}`)
  if (!onInvalidate && !cache) throw new TypeError('onInvalidate or cache must be given: both are undefined')
  if (cache !== undefined && !(cache instanceof FencedCache))
    throw new TypeError(`cache must be one of createCoherentCache, not ${cache}`)
  checkPositive('heartbeat.intervalMs', intervalMs, maxTimer)
  checkPositive('heartbeat.timeoutMs', timeoutMs, maxTimer)
  checkPositive('handlerTimeoutMs', handlerTimeoutMs, maxTimer)

  const nothing = () => {}
  const warn = (error: unknown) => process.emitWarning(error instanceof Error ? error : String(error))
  const report = (error: CacheInvalidationError) => {
    // An exception here would end the process from inside an event: an async callback's, too.
    if (onError) Promise.resolve(error).then(onError).catch(warn)
    else if (error.code === 'FLUSH_REQUIRED') warn(error)
  }
  const deliveries = new Deliveries({
    onInvalidate: onInvalidate ?? nothing,
    // Without handlers everything is with the cache already.
    onFlush: onFlush ?? (onInvalidate ? undefined : nothing),
    report,
    timeoutMs: handlerTimeoutMs,
    maxPending,
    maxPendingBytes,
  })
  return new Subscription(subscriber, channel, deliveries, cache, report, intervalMs, timeoutMs)
}
