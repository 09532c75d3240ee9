import { setTimeout as delay } from 'node:timers/promises'
import {
  type CacheInvalidator,
  type CacheSubscription,
  type CoherentCache,
  createCacheInvalidator,
  subscribeToCacheInvalidation,
} from '@scratchyjs/cache-invalidation'
import { createRedisClient } from '@scratchyjs/redis-transport'
import type { Cluster, Redis } from 'ioredis'
import { RendererError } from './error.js'
import type { RedisSource } from './page-cache-options.js'
import { SharedPages } from './page-cache-redis.js'
import type { PageCopy } from './page-copy.js'
import { invalidationsOf } from './page-generations.js'

/** How long an invalidation may take, in milliseconds. */
const INVALIDATION_MS = 10_000
const RETRY_MS = 100
/** How long the end waits for Redis, in milliseconds. */
const CLOSE_MS = 1000

/** The Redis behind the caches of many servers: its pages, and what tells each cache which ones are stale. */
export class PageSharing {
  readonly #redis: Redis | Cluster
  readonly #isOwn: boolean
  readonly #subscriber: Redis | Cluster
  readonly #pages: SharedPages
  readonly #invalidator: CacheInvalidator
  readonly #subscription: CacheSubscription
  readonly #memory: CoherentCache<PageCopy>

  constructor(
    source: RedisSource,
    prefix: string,
    timeoutMs: number,
    memory: CoherentCache<PageCopy>,
    onError: (error: Error) => void,
  ) {
    this.#isOwn = !isClient(source)
    this.#redis = isClient(source) ? source : createRedisClient(source, { onError })
    if (this.#redis.status === 'wait') this.#redis.connect().catch(() => {})
    this.#memory = memory
    this.#pages = new SharedPages(this.#redis, prefix, timeoutMs)
    this.#subscriber = (this.#redis as Redis).duplicate()
    this.#subscriber.on('error', onError)
    // A channel of its own: who publishes on the usual one knows nothing of the generations.
    const channel = invalidationsOf(prefix)
    this.#invalidator = createCacheInvalidator({ publisher: this.#redis, channel })
    this.#subscription = subscribeToCacheInvalidation({
      subscriber: this.#subscriber,
      channel,
      cache: memory as CoherentCache<unknown>,
      onInvalidate: () => {},
      onFlush: async reason => {
        // Redis may have gone back to an earlier state, in which what was invalidated since is good again. In the
        // other cases only messages were lost: the generations were written before those.
        if (reason !== 'epoch' && reason !== 'server') return
        await this.#pages.renewAll()
        memory.flush() // loaded from Redis meanwhile
      },
      onError,
    })
  }

  /**
   * The pages in Redis; `undefined` while this server is out of step: it may talk to a Redis that has forgotten
   * invalidations, and would not hear of new ones.
   */
  get pages(): SharedPages | undefined {
    return this.#subscription.status === 'synchronised' ? this.#pages : undefined
  }

  /**
   * Makes what has one of these tags stale on every server. The generations first: a server that obeys the message
   * finds nothing old in Redis any more.
   */
  async invalidate(tags: readonly string[]): Promise<void> {
    const deadline = performance.now() + INVALIDATION_MS
    try {
      await this.#renew(tags, deadline)
      this.#memory.invalidate(tags) // loaded from Redis meanwhile
      const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()))
      await this.#invalidator.publish(tags, { timeoutMs })
    } catch (cause) {
      const why = (cause as Error).message
      throw new RendererError('INVALIDATION_FAILED', `Cannot invalidate ${tags.length} names: ${why}`, cause)
    }
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#pages.settled(),
      this.#subscription.unsubscribe(),
      this.#invalidator.close({ timeoutMs: CLOSE_MS }),
    ])
    this.#subscriber.disconnect()
    if (this.#isOwn) this.#redis.disconnect()
  }

  async #renew(tags: readonly string[], deadline: number): Promise<void> {
    for (;;) {
      const timeoutMs = deadline - performance.now()
      try {
        return await within(this.#pages.renew(tags), timeoutMs)
      } catch (error) {
        if (this.#redis.status === 'end' || performance.now() + RETRY_MS >= deadline) throw error
        await delay(RETRY_MS)
      }
    }
  }
}

function isClient(source: RedisSource): source is Redis | Cluster {
  return typeof source === 'object' && typeof (source as { set?: unknown }).set === 'function'
}

function within<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer from Redis in time')), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
