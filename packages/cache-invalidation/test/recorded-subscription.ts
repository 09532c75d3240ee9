import { Redis, type RedisOptions } from 'ioredis'
import { expect } from 'vitest'
import {
  type CacheInvalidationError,
  type CacheSubscription,
  type CacheSubscriptionOptions,
  subscribeToCacheInvalidation,
} from '../src/index.js'

/** A subscription of a client of its own, and what it called. */
export interface Recorded {
  subscriber: Redis
  subscription: CacheSubscription
  keys: string[]
  flushes: string[]
  errors: CacheInvalidationError[]
  codes(): string[]
  /** Resolves when it is in step. */
  synchronised(): Promise<void>
  end(): Promise<void>
}

export function record(
  client: RedisOptions | Redis,
  options: Partial<CacheSubscriptionOptions> = {},
): Recorded {
  const subscriber = client instanceof Redis ? client : new Redis({ host: '127.0.0.1', ...client } as object)
  const keys: string[] = []
  const flushes: string[] = []
  const errors: CacheInvalidationError[] = []
  const subscription = subscribeToCacheInvalidation({
    subscriber,
    onInvalidate: invalid => void keys.push(...invalid),
    onFlush: reason => void flushes.push(reason),
    onError: error => void errors.push(error),
    ...options,
  })
  return {
    subscriber,
    subscription,
    keys,
    flushes,
    errors,
    codes: () => errors.map(({ code }) => code),
    synchronised: () => expect.poll(() => subscription.status, { timeout: 15_000 }).toBe('synchronised'),
    async end() {
      await subscription.unsubscribe()
      subscriber.disconnect()
    },
  }
}

/** The keys `<prefix>1` to `<prefix><count>`. */
export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`)
}
