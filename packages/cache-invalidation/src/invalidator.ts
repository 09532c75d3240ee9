import type { Cluster, Redis } from 'ioredis'
import { CacheInvalidationError, reasonOf } from './error.js'
import { appendTo, type LogPosition } from './log.js'
import { encodeKeys } from './message.js'
import { checkChannel, checkClient, checkPositive, DEFAULT_CACHE_INVALIDATION_CHANNEL } from './options.js'
import { type InvalidatorStats, SenderQueue, type Waiter } from './sender-queue.js'

const maxTimer = 2 ** 31 - 1
const maxTtl = 365 * 24 * 60 * 60
const maxQueueBytes = 1024 * 1024 * 1024

/** Where and how an invalidator publishes. */
export interface CacheInvalidatorOptions {
  /**
   * A client of ioredis that is not in RESP2 subscriber mode. It stays the caller's. When it gives no answer for 5 s
   * while something is to be published, its connection is made anew.
   */
  publisher: Redis | Cluster
  /** Default {@link DEFAULT_CACHE_INVALIDATION_CHANNEL}. */
  channel?: string
  /** How much is kept for subscribers that were away. The latest publisher's values count. */
  log?: {
    /** Messages, 1 to 1 000 000; default 10 000. */
    maxLength?: number
    /** Seconds after the last message, 1 to a year; default 86 400. */
    ttl?: number
  }
  /** How much may wait while Redis is away. When it is more, one message takes its place: everything is stale. */
  queue?: {
    /** Keys, 1 to 1 000 000; default 100 000. One that is published again while it waits counts once. */
    maxKeys?: number
    /** Bytes of the keys as JSON, 1 to 1 GiB; default 16 MiB. */
    maxBytes?: number
  }
}

/** How one call publishes. */
export interface PublishOptions {
  /**
   * Makes the keys a message of their own, with this name: published again under the same id, while the log still
   * holds it, it is not sent twice. 1 to 64 letters, digits, `_` and `-`. Without an id keys that wait go out together.
   */
  id?: string
  /** Milliseconds until `PUBLISH_TIMEOUT`, 1 to 2^31-1; default 10 000. The keys stay queued. */
  timeoutMs?: number
  /** Rejects with its reason. The keys stay queued. */
  signal?: AbortSignal
}

/** Tells every subscriber of a channel which keys are stale. */
export interface CacheInvalidator {
  readonly channel: string
  /**
   * Resolves when Redis has logged and published the keys, or a message that declares everything stale, to its place
   * in the log. What can't be sent waits, and is sent in order when Redis is back, also after a timeout. The process
   * lives until the promise settles, and after that as long as the client connects or is connected.
   *
   * @throws TypeError for an empty list or a key that is no non-empty string; RangeError for a key over
   * {@link MAX_KEY_BYTES} or a message over {@link MAX_MESSAGE_BYTES}; {@link CacheInvalidationError}
   * `PUBLISH_FAILED`: Redis refused for good, or the client has ended or the invalidator is closed, and the keys are
   * dropped; `PUBLISH_TIMEOUT`: Redis did not answer in time, and the keys are sent later
   */
  publish(keys: readonly string[], options?: PublishOptions): Promise<LogPosition>
  /** What was sent, and what waits. */
  stats(): InvalidatorStats
  /**
   * Publishes nothing more. Waits until what is queued is sent, `timeoutMs` at most (default 1000); what is left
   * rejects with `PUBLISH_FAILED`. Never rejects. The client stays open.
   */
  close(options?: { timeoutMs?: number }): Promise<void>
}

/**
 * Publishes stale keys through Redis. Any number of invalidators may share a channel.
 *
 * @throws TypeError or RangeError for a bad option
 */
export function createCacheInvalidator({
  publisher,
  channel = DEFAULT_CACHE_INVALIDATION_CHANNEL,
  log: { maxLength = 10_000, ttl = 86_400 } = {},
  queue: { maxKeys = 100_000, maxBytes = 16 * 1024 * 1024 } = {},
}: CacheInvalidatorOptions): CacheInvalidator {
  checkClient('publisher', publisher)
  checkChannel(channel)
  checkPositive('log.maxLength', maxLength, 1_000_000)
  checkPositive('log.ttl', ttl, maxTtl)
  checkPositive('queue.maxKeys', maxKeys, 1_000_000)
  checkPositive('queue.maxBytes', maxBytes, maxQueueBytes)

  const queue = new SenderQueue(publisher, appendTo(publisher, channel, { maxLength, ttl }), {
    maxKeys,
    maxBytes,
  })

  return {
    channel,
    publish: (keys, { id, timeoutMs = 10_000, signal } = {}) =>
      new Promise((resolve, reject) => {
        const encoded = encodeKeys(keys)
        if (id !== undefined && !isId(id))
          throw new TypeError(`id must be 1 to 64 letters, digits, "_" and "-", not ${JSON.stringify(id)}`)
        checkPositive('timeoutMs', timeoutMs, maxTimer)
        signal?.throwIfAborted()
        const cannot = () => `Cannot publish ${keys.length} keys on ${channel}`
        const settle = () => signal?.removeEventListener('abort', onAbort)
        const waiter: Waiter = {
          timeoutMs,
          resolve(position) {
            settle()
            resolve(position)
          },
          reject(cause) {
            settle()
            reject(new CacheInvalidationError('PUBLISH_FAILED', `${cannot()}: ${reasonOf(cause)}`, { cause }))
          },
          expire() {
            const cause = queue.lastFailure
            const why = cause === undefined ? `the client is ${publisher.status}` : reasonOf(cause)
            const message = `${cannot()} within ${timeoutMs} ms (${why}): they are queued`
            giveUp(new CacheInvalidationError('PUBLISH_TIMEOUT', message, { cause }))
          },
        }
        const giveUp = (reason: unknown) => {
          settle()
          queue.forget(waiter, ticket)
          reject(reason)
        }
        const onAbort = () => giveUp(signal?.reason)
        signal?.addEventListener('abort', onAbort, { once: true })
        const ticket = queue.add(encoded, id, waiter)
      }),
    stats: () => queue.stats,
    close({ timeoutMs = 1000 } = {}) {
      checkPositive('timeoutMs', timeoutMs, maxTimer)
      return queue.close(timeoutMs)
    },
  }
}

function isId(id: unknown): boolean {
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id)
}
