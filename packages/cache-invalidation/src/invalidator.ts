import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { isTimeout, withDeadline } from './deadline.js'
import { CacheInvalidationError, reasonOf } from './error.js'
import { appendToLog, type LogPosition } from './log.js'
import { encodeKeys } from './message.js'
import { checkChannel, checkClient, checkPositive, DEFAULT_CACHE_INVALIDATION_CHANNEL } from './options.js'

const attempts = 3
const maxTtl = 365 * 24 * 60 * 60

/** Where and how an invalidator publishes. */
export interface CacheInvalidatorOptions {
  /** A client of ioredis that is not in RESP2 subscriber mode. It stays the caller's. */
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
}

/** How one message is published. */
export interface PublishOptions {
  /**
   * Names the message: published again under the same id, while the log still holds it, it is not
   * sent twice. 1 to 64 letters, digits, `_` and `-`; default a random UUID.
   */
  id?: string
  /** Milliseconds until `PUBLISH_TIMEOUT`, 1 to 2^31-1; default 10 000. */
  timeoutMs?: number
  /** Rejects with its reason; what is under way may be published yet. */
  signal?: AbortSignal
}

/** Tells every subscriber of a channel which keys are stale. */
export interface CacheInvalidator {
  readonly channel: string
  /**
   * Resolves when Redis has logged and published the keys, to their place in the log.
   *
   * @throws TypeError for an empty list or a key that is no non-empty string; RangeError for a key over
   * {@link MAX_KEY_BYTES} or a message over {@link MAX_MESSAGE_BYTES}; {@link CacheInvalidationError}
   * `PUBLISH_FAILED` or `PUBLISH_TIMEOUT`
   */
  publish(keys: readonly string[], options?: PublishOptions): Promise<LogPosition>
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
}: CacheInvalidatorOptions): CacheInvalidator {
  checkClient('publisher', publisher)
  checkChannel(channel)
  checkPositive('log.maxLength', maxLength, 1_000_000)
  checkPositive('log.ttl', ttl, maxTtl)

  // A timeout of ioredis (commandTimeout) leaves open whether the script ran. Its second run, under
  // the same id, finds out.
  const append = async (keysJson: string, id: string): Promise<LogPosition> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await appendToLog(publisher, channel, keysJson, id, { maxLength, ttl })
      } catch (error) {
        if (attempt === attempts || !isTimeout(error)) throw error
      }
    }
  }

  return {
    channel,
    async publish(keys, { id = randomUUID(), timeoutMs = 10_000, signal } = {}) {
      const keysJson = encodeKeys(keys)
      if (typeof id !== 'string' || !/^[\w-]{1,64}$/.test(id))
        throw new TypeError(`id must be 1 to 64 letters, digits, "_" and "-", not ${JSON.stringify(id)}`)
      checkPositive('timeoutMs', timeoutMs, 2 ** 31 - 1)
      signal?.throwIfAborted()
      try {
        return await withDeadline(unlessAborted(append(keysJson, id), signal), timeoutMs)
      } catch (cause) {
        signal?.throwIfAborted()
        const message = `Cannot publish ${keys.length} keys on ${channel}: ${reasonOf(cause)}`
        const code = isTimeout(cause) ? 'PUBLISH_TIMEOUT' : 'PUBLISH_FAILED'
        throw new CacheInvalidationError(code, message, { cause })
      }
    },
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
