import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { describe } from './error-transfer.js'

/** The Redis that servers share: a client, which stays yours, or what one is made from. */
export type RedisSource = Redis | Cluster | RedisOptions | string

/** Where pages are kept, and for how long. Sizes in bytes, times in seconds where they don't say otherwise. */
export interface PageCacheOptions {
  /** Pages in the memory of this process. Default 1,000. */
  max?: number
  /** The sum of their sizes. Default 64 MiB. */
  maxSize?: number
  /** Seconds from the beginning of its render that a page is fresh for, up to a year; a route may say otherwise. Default 60. */
  ttl?: number
  /**
   * Pages are kept there too, for all servers, and invalidations reach all of them. Without it the cache is this
   * process's alone. A page above 4 MiB is not kept there. For a cluster: a `Cluster` of ioredis.
   */
  redis?: RedisSource
  /** Milliseconds that a page waits for an answer of Redis at most, before it is rendered without it. Default 50. */
  redisTimeoutMs?: number
  /** What all names in Redis begin with. Default `html:`. */
  prefix?: string
  /**
   * The build that renders: another one begins with an empty cache. Give it whenever anything but the worker file may
   * change, such as what it imports or `getProps`. By default a hash of the worker file.
   */
  build?: string
  /**
   * Milliseconds that a page in memory is served for while this server can't hear of invalidations, because it has
   * lost its connection to Redis. 0: each page is rendered anew then. Default 5,000.
   */
  maxStaleMs?: number
  /** Told of trouble with Redis, and of refreshes in the background that failed; each kind once a minute at most. */
  onError?: (error: Error) => void
}

/** How the pages of one route are cached. Times in seconds. */
export interface PageCaching {
  /** From the beginning of its render; default the cache's. */
  ttl?: number
  /** For so long after its `ttl` a page is still sent at once, while a new one is rendered. Default 0. */
  staleWhileRevalidate?: number
  /** Names to invalidate the page under. They should be the same each time. */
  tags?: readonly string[]
  /** Names of the query's parameters that the page depends on. No others reach it. */
  query?: readonly string[]
  /** Names of the request's headers that the page depends on. No others reach it. */
  headers?: readonly string[]
}

/** {@link PageCaching} with its defaults. */
export interface ResolvedCaching {
  ttlMs: number
  /** Until when a page may be sent at all: `ttl` and `staleWhileRevalidate` together. */
  lifeMs: number
  tags: readonly string[]
  query: readonly string[]
  headers: readonly string[]
}

const longest = 365 * 24 * 60 * 60

/** Checks what a route asks for; `TypeError` or `RangeError` names what is wrong. */
export function resolveCaching(caching: PageCaching, ttl: number): ResolvedCaching {
  if (typeof caching !== 'object' || caching === null) {
    throw new TypeError(`cache must be an object, such as { ttl: 60 }, and is ${describe(caching)}`)
  }
  const ttlMs = 1000 * seconds('cache.ttl', caching.ttl ?? ttl)
  const staleMs = 1000 * (caching.staleWhileRevalidate || 0)
  if (!(staleMs >= 0) || staleMs > longest * 1000) {
    throw new RangeError(
      `cache.staleWhileRevalidate must be 0 to ${longest} seconds, and is ${describe(caching.staleWhileRevalidate)}`,
    )
  }
  return {
    ttlMs,
    lifeMs: ttlMs + staleMs,
    tags: names('cache.tags', caching.tags),
    query: names('cache.query', caching.query),
    headers: names('cache.headers', caching.headers).map(name => name.toLowerCase()),
  }
}

/** Above 0 and up to a year. */
export function seconds(name: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0) || value > longest) {
    throw new RangeError(
      `${name} must be a number of seconds above 0, at most ${longest}, and is ${describe(value)}`,
    )
  }
  return value
}

/** A list of non-empty strings. */
export function names(name: string, list: unknown = []): string[] {
  if (!Array.isArray(list) || list.some(item => typeof item !== 'string' || item === '')) {
    throw new TypeError(`${name} must be a list of non-empty strings, and is ${describe(list)}`)
  }
  return list
}
