import type { Cluster, Redis } from 'ioredis'
import { checkPositive, checkRedis, checkTtl } from './argument.js'
import type { BreakerState } from './circuit-breaker.js'
import { decodeContext, encodeContext } from './context-json.js'
import { openEnvelope, type RenderEnvelope } from './envelope.js'
import { redisFailure } from './error.js'
import { GuardedRedis, type Outage } from './guarded-redis.js'
import { DEFAULT_MAX_CONTEXT_BYTES, missing } from './render-context.js'
import { createRequestId, renderContextKey } from './request-id.js'

/** When the transport stops asking Redis. */
export interface TransportBreakerOptions {
  /** Milliseconds after which a call stops waiting for Redis, 50 by default; the first connection included. */
  timeoutMs?: number
  /** So many calls in a row without an answer open the breaker, 5 by default. */
  failures?: number
  /** Milliseconds from opening to the first probe, ±20 %, 1000 by default; up to 8 times as long later. */
  resetMs?: number
}

/** Which Redis carries contexts, and how. */
export interface RedisTransportOptions {
  redis: Redis | Cluster
  /** Seconds until Redis forgets what no worker took, a positive integer up to a year; 60 by default. */
  ttl?: number
  /** Largest context in bytes of JSON that goes through Redis, 4 MiB by default; a larger one goes as payload. */
  maxBytes?: number
  breaker?: TransportBreakerOptions
}

/** What a transport has done since it was made, in this thread. */
export interface RedisTransportStats {
  sent: {
    redis: number
    /** Contexts in the envelope itself, by reason. */
    payload: {
      /** There was no connection, or Redis answered with an error. */
      out: number
      /** Redis gave no answer in time. */
      slow: number
      /** The breaker was open: Redis was not asked. */
      open: number
      /** Larger than `maxBytes`. */
      large: number
      /** By the method `payload`. */
      asked: number
    }
  }
  received: { redis: number; payload: number }
  /** Contexts that were gone when they were to be received. */
  missing: number
  /** `openings`: from closed to open. `probes`: calls that tried whether Redis is back. */
  breaker: { state: BreakerState; openings: number; probes: number }
}

/** Carries contexts from the thread that got the request to the one that renders. */
export interface RedisTransport {
  /**
   * Stores a context in Redis, or puts it into the envelope when Redis is out or slow, or it is too large. No state
   * of Redis makes it reject.
   *
   * @throws TypeError for what JSON can't hold, naming where it is; RangeError when it nests deeper than 1000 levels;
   * RedisTransportError `CONTEXT_TOO_LARGE` above 16 MiB of JSON (or `maxBytes`, if that is more)
   */
  send(context: unknown): Promise<RenderEnvelope>
  /** The context in the envelope itself, without Redis: for a second attempt. Throws as `send` rejects. */
  payload(context: unknown): RenderEnvelope
  /**
   * In the worker: the context. What was in Redis is deleted there in the same step.
   *
   * @throws RedisTransportError `CONTEXT_MISSING` when it is gone, `REDIS_UNAVAILABLE` or `REDIS_REFUSED` when Redis
   * is out or slow: the sender then sends again with `payload`. TypeError for what is no envelope
   */
  receive<T = unknown>(envelope: RenderEnvelope): Promise<T>
  /** Deletes what no worker took, as well as it can within `timeoutMs`; its time to live does the rest. Never rejects. */
  discard(envelope: RenderEnvelope): Promise<void>
  stats(): RedisTransportStats
}

/** To write, clone and parse more than that stops both threads for seconds. */
const maxPayloadBytes = 16 * 1024 * 1024
const maxTimerMs = 2 ** 31 - 1

/**
 * A transport on a client of this thread. Make one for each thread, and let workers connect when they start.
 *
 * @throws RangeError or TypeError naming the option
 */
export function createRedisTransport(options: RedisTransportOptions): RedisTransport {
  return new GuardedTransport(options)
}

class GuardedTransport implements RedisTransport {
  readonly #redis: Redis | Cluster
  readonly #guarded: GuardedRedis
  readonly #ttl: number
  readonly #maxBytes: number
  readonly #sent: RedisTransportStats['sent'] = {
    redis: 0,
    payload: { out: 0, slow: 0, open: 0, large: 0, asked: 0 },
  }
  readonly #received = { redis: 0, payload: 0 }
  #missing = 0

  constructor({
    redis,
    ttl = 60,
    maxBytes = DEFAULT_MAX_CONTEXT_BYTES,
    breaker = {},
  }: RedisTransportOptions) {
    checkRedis(redis)
    const { timeoutMs = 50, failures = 5, resetMs = 1000 } = breaker
    this.#redis = redis
    this.#ttl = checkTtl(ttl)
    this.#maxBytes = checkPositive('maxBytes', maxBytes)
    this.#guarded = new GuardedRedis(redis, checkPositive('breaker.timeoutMs', timeoutMs, maxTimerMs), {
      failures: checkPositive('breaker.failures', failures),
      resetMs: checkPositive('breaker.resetMs', resetMs, maxTimerMs),
    })
  }

  async send(context: unknown): Promise<RenderEnvelope> {
    const json = this.#encode(context)
    if (Buffer.byteLength(json) > this.#maxBytes) return this.#payload(json, 'large')
    const requestId = createRequestId()
    const key = renderContextKey(requestId)
    const stored = await this.#guarded.run(
      () => this.#redis.set(key, json, 'EX', this.#ttl),
      // Stored after all, though the context went another way.
      () => this.#delete(key),
    )
    if ('outage' in stored) return this.#payload(json, stored.outage)
    this.#sent.redis += 1
    return { requestId }
  }

  payload(context: unknown): RenderEnvelope {
    return this.#payload(this.#encode(context), 'asked')
  }

  #encode(context: unknown): string {
    return encodeContext(context, Math.max(maxPayloadBytes, this.#maxBytes))
  }

  #payload(json: string, reason: Outage | 'large' | 'asked'): RenderEnvelope {
    this.#sent.payload[reason] += 1
    // The text that Redis would have held: so a worker gets the same, whichever way it came.
    return { payload: json }
  }

  async receive<T = unknown>(envelope: RenderEnvelope): Promise<T> {
    const opened = openEnvelope(envelope)
    if ('context' in opened) {
      this.#received.payload += 1
      return opened.context as T
    }
    const { requestId, key } = opened
    const taken = await this.#guarded.run(() => this.#redis.getdelBuffer(key))
    if ('outage' in taken) throw redisFailure(`receive the context of request ${requestId}`, taken.cause)
    if (!taken.value) {
      this.#missing += 1
      throw missing(requestId)
    }
    const context = decodeContext(taken.value, requestId, this.#maxBytes)
    this.#received.redis += 1
    return context as T
  }

  async discard(envelope: RenderEnvelope): Promise<void> {
    try {
      const opened = openEnvelope(envelope)
      if ('key' in opened) await this.#guarded.run(() => this.#redis.del(opened.key))
    } catch {
      // No envelope, so nothing to delete.
    }
  }

  stats(): RedisTransportStats {
    const { state, openings, probes } = this.#guarded.breaker
    return {
      sent: { redis: this.#sent.redis, payload: { ...this.#sent.payload } },
      received: { ...this.#received },
      missing: this.#missing,
      breaker: { state, openings, probes },
    }
  }

  #delete(key: string): void {
    if (this.#guarded.isReady) this.#redis.del(key).catch(() => {})
  }
}
