import type { Cluster, Redis } from 'ioredis'
import { checkPositive, checkRedis, checkTtl } from './argument.js'
import { decodeContext, encodeContext } from './context-json.js'
import { RedisTransportError, redisFailure } from './error.js'
import { renderContextKey } from './request-id.js'

/** The size cap of a context's JSON, in bytes, where no other is given: 4 MiB. */
export const DEFAULT_MAX_CONTEXT_BYTES: number = 4 * 1024 * 1024

/** How large a context may be. */
export interface ContextSizeOptions {
  /** Largest JSON in bytes, {@link DEFAULT_MAX_CONTEXT_BYTES} by default; a positive integer. */
  maxBytes?: number
}

function checkMaxBytes({ maxBytes = DEFAULT_MAX_CONTEXT_BYTES }: ContextSizeOptions): number {
  return checkPositive('maxBytes', maxBytes)
}

/** The error for a context that is not there. */
export function missing(requestId: string): RedisTransportError {
  return new RedisTransportError(
    'CONTEXT_MISSING',
    `No context for request ${requestId}: expired, taken, or never stored`,
  )
}

/**
 * Stores the context of one request as JSON under `render:<requestId>`. Redis forgets it after
 * `ttl` seconds. A context stored under the same id before is replaced.
 *
 * @param requestId 1 to 256 characters without control characters, such as `createRequestId()` makes
 * @param context what JSON can hold: plain objects, arrays, strings, finite numbers, booleans, null,
 * and objects with a `toJSON`
 * @param ttl seconds, a positive integer up to a year (31 536 000)
 * @throws RangeError for the ttl; TypeError for the id, or for a context with a cycle, BigInt, function,
 * symbol, undefined, NaN, Map and the like, naming where it is; {@link RedisTransportError} otherwise
 */
export async function storeRenderContext(
  redis: Redis | Cluster,
  requestId: string,
  context: unknown,
  ttl: number = 60,
  options: ContextSizeOptions = {},
): Promise<void> {
  checkRedis(redis)
  const key = renderContextKey(requestId)
  checkTtl(ttl)
  const json = encodeContext(context, checkMaxBytes(options))
  try {
    await redis.set(key, json, 'EX', ttl)
  } catch (cause) {
    throw redisFailure(`store the context of request ${requestId}`, cause)
  }
}

/**
 * Reads the context of a request and leaves it in Redis.
 *
 * @throws RedisTransportError `CONTEXT_MISSING` when there is none; `CONTEXT_TOO_LARGE`, `CONTEXT_CORRUPT`
 */
export async function getRenderContext<T = unknown>(
  redis: Redis | Cluster,
  requestId: string,
  options: ContextSizeOptions = {},
): Promise<T> {
  return await read<T>(redis, requestId, options, key => redis.getBuffer(key))
}

/**
 * Reads the context of a request and deletes it, in one step (GETDEL, Redis 6.2 or later): of
 * several callers exactly one gets it.
 *
 * @throws RedisTransportError `CONTEXT_MISSING` when there is none; `CONTEXT_TOO_LARGE` and
 * `CONTEXT_CORRUPT` also mean that it is deleted
 */
export async function takeRenderContext<T = unknown>(
  redis: Redis | Cluster,
  requestId: string,
  options: ContextSizeOptions = {},
): Promise<T> {
  return await read<T>(redis, requestId, options, key => redis.getdelBuffer(key))
}

async function read<T>(
  redis: Redis | Cluster,
  requestId: string,
  options: ContextSizeOptions,
  fetch: (key: string) => Promise<Buffer | null>,
): Promise<T> {
  checkRedis(redis)
  const key = renderContextKey(requestId)
  const maxBytes = checkMaxBytes(options)
  let bytes: Buffer | null
  try {
    bytes = await fetch(key)
  } catch (cause) {
    throw redisFailure(`read the context of request ${requestId}`, cause)
  }
  if (!bytes) throw missing(requestId)
  return decodeContext(bytes, requestId, maxBytes) as T
}

/** Deletes the context of a request; resolves to whether there was one. */
export async function cleanupRenderContext(redis: Redis | Cluster, requestId: string): Promise<boolean> {
  checkRedis(redis)
  const key = renderContextKey(requestId)
  try {
    return (await redis.del(key)) > 0
  } catch (cause) {
    throw redisFailure(`delete the context of request ${requestId}`, cause)
  }
}
