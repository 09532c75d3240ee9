import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { startProxy, type TcpProxy } from '@scratchyjs/tooling/tcp-proxy'
import Fastify from 'fastify'
import { Redis, type RedisOptions } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type CacheInvalidator,
  type CacheSubscriptionOptions,
  createCacheInvalidator,
  createCoherentCache,
  subscribeToCacheInvalidation,
} from '../src/index.js'
import subscriberPlugin from '../src/subscriber-plugin.js'

let server: RedisServer
let proxy: TcpProxy
let publisher: Redis
let invalidator: CacheInvalidator
const ends: (() => unknown)[] = []

beforeAll(async () => {
  server = await startRedis()
  publisher = new Redis(server.port, '127.0.0.1')
  invalidator = createCacheInvalidator({ publisher })
})
beforeEach(async () => {
  await publisher.flushall()
  proxy = await startProxy(server.port)
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await proxy.close()
})
afterAll(async () => {
  publisher.disconnect()
  await server.stop()
})

/** A cache, and a subscription through the proxy that keeps it in step. */
function start({
  maxStaleMs = 0,
  client = {},
  ...options
}: Partial<CacheSubscriptionOptions> & { maxStaleMs?: number; client?: RedisOptions } = {}) {
  const subscriber = new Redis({
    host: '127.0.0.1',
    port: proxy.port,
    retryStrategy: () => 100,
    ...client,
  } as object)
  const cache = createCoherentCache<string>({ max: 100, maxStaleMs })
  const errors: string[] = []
  const onError = ({ code }: { code: string }) => void errors.push(code)
  const subscription = subscribeToCacheInvalidation({ subscriber, cache, onError, ...options })
  ends.push(async () => {
    await subscription.unsubscribe()
    subscriber.disconnect()
  })
  return {
    subscriber,
    cache,
    subscription,
    errors,
    is: (status: string) =>
      expect.poll(() => subscription.status, { timeout: 10_000, interval: 5 }).toBe(status),
    fill: (key: string, value: string, ...tags: string[]) => cache.getOrLoad(key, () => value, { tags }),
  }
}

describe.each([2, 3] as const)('a cache with a RESP%i client', protocol => {
  it('drops what is published, by key and by tag, and keeps the rest', async () => {
    const { cache, subscription, is, fill, errors } = start({ client: { protocol } })
    await is('synchronised')
    await fill('a', '1')
    await fill('b', '1', 'tag')
    await fill('c', '1')
    const place = await invalidator.publish(['a', 'tag'])
    await expect.poll(() => subscription.position).toEqual(place)
    await is('synchronised')
    expect(['a', 'b', 'c'].map(key => cache.peek(key))).toEqual([undefined, undefined, '1'])
    expect(errors).toEqual([])
  })

  it('is flushed when the log is lost, without a handler', async () => {
    const { cache, is, fill, errors } = start({ client: { protocol } })
    await is('synchronised')
    await fill('a', '1')
    const { flushes } = cache.stats()
    await publisher.flushall()
    await expect.poll(() => cache.stats().flushes, { timeout: 5000 }).toBe(flushes + 1)
    await is('synchronised')
    expect(cache.peek('a')).toBeUndefined()
    expect(errors).toEqual([])
  })

  it('is flushed by the message of a flush', async () => {
    const { cache, is, fill } = start({ client: { protocol } })
    await is('synchronised')
    await fill('a', '1')
    const { flushes } = cache.stats()
    await publisher.publish(invalidator.channel, '{"keys":[],"flush":true}')
    await expect.poll(() => cache.stats().flushes).toBe(flushes + 1)
    expect(cache.peek('a')).toBeUndefined()
  })

  it('I5, I8: in a break nothing is served; then what was missed is gone before anything is served', async () => {
    const { cache, is, fill } = start({ client: { protocol } })
    await is('synchronised')
    await fill('a', 'old')
    await fill('b', 'kept')
    proxy.target = 1
    proxy.cut()
    await is('degraded')
    expect(cache.peek('b')).toBeUndefined()
    expect(await fill('b', 'kept')).toBe('kept')
    await fill('c', 'old')
    // More than a page of messages, each of its own; the keys that matter are in the last.
    const ids = Array.from({ length: 1200 }, (_, number) => `own${number}`)
    await Promise.all(ids.map(id => invalidator.publish(['other'], { id })))
    await invalidator.publish(['a', 'c'])
    proxy.target = server.port
    while (cache.peek('b') === undefined) {
      expect([cache.peek('a'), cache.peek('c')]).toEqual([undefined, undefined])
      await turn()
    }
    expect([cache.peek('a'), cache.peek('c')]).toEqual([undefined, undefined])
    expect(cache.stats().bypassed).toBe(1)
  })
})

describe('a cache beside handlers', () => {
  it('I5: obeys before they are called, and waits for none of them', async () => {
    const seen: (string | undefined)[] = []
    const waiting: (() => void)[] = []
    const { cache, is, fill } = start({
      onInvalidate([key = '']) {
        seen.push(cache.peek(key))
        return new Promise(resolve => waiting.push(resolve))
      },
    })
    await is('synchronised')
    for (const key of ['a', 'b']) await fill(key, '1')
    await invalidator.publish(['a'])
    await invalidator.publish(['b'])
    await expect.poll(() => cache.stats().invalidated).toBe(2)
    expect(seen).toEqual([undefined])
    for (const resolve of waiting) resolve()
    await expect.poll(() => seen).toEqual([undefined, undefined])
    for (const resolve of waiting) resolve()
  })

  it('I5: synchronised is what was replayed and what came meanwhile, handed over', async () => {
    const waiting: (() => void)[] = []
    const started: string[] = []
    const { cache, subscriber, subscription, is, fill } = start({
      onInvalidate(keys) {
        started.push(...keys)
        return new Promise(resolve => waiting.push(resolve))
      },
    })
    await is('synchronised')
    proxy.cut()
    await is('degraded')
    await invalidator.publish(['missed'])
    await expect.poll(() => started).toEqual(['missed'])
    // The log is being read: this waits to be merged.
    const arrived = once(subscriber, 'messageBuffer')
    await invalidator.publish(['meanwhile'])
    await arrived
    waiting[0]?.()
    await expect.poll(() => started).toEqual(['missed', 'meanwhile'])
    expect(subscription.status).toBe('replaying')
    await fill('a', '1')
    expect(cache.peek('a')).toBe('1')
    waiting[1]?.()
    await is('synchronised')
  })

  it('is not flushed because of a handler that fails', async () => {
    const flushes: string[] = []
    const { cache, is, fill } = start({
      onInvalidate() {
        throw new Error('no')
      },
      onFlush: reason => void flushes.push(reason),
    })
    await is('synchronised')
    await fill('a', '1')
    await invalidator.publish(['b'])
    await expect.poll(() => flushes).toEqual(['handler'])
    expect(cache.peek('a')).toBe('1')
  })
})

describe('maxStaleMs', () => {
  it('I8: counts from the beginning of the last look that was answered, not from its answer or its failure', {
    timeout: 12_000,
  }, async () => {
    const maxStaleMs = 3000
    const heartbeat = { intervalMs: 500, timeoutMs: 10_000 }
    const { cache, is, fill } = start({ maxStaleMs, heartbeat, client: { protocol: 3 } })
    await is('synchronised')
    await fill('a', '1')
    let lookBegan = 0
    let isAnswered = false
    proxy.swallow = () => {
      if (lookBegan === 0) {
        lookBegan = performance.now()
        proxy.pause(true)
      }
      if (!isAnswered) return false
      // The next look.
      proxy.target = 1
      proxy.cut()
      return true
    }
    await expect.poll(() => lookBegan).toBeGreaterThan(0)
    await new Promise(resolve => setTimeout(resolve, 1500))
    isAnswered = true
    proxy.pause(false)
    await is('degraded')
    await expect.poll(() => cache.peek('a'), { interval: 5, timeout: 5000 }).toBeUndefined()
    const servedFor = performance.now() - lookBegan
    // The proxy sees a look some time after it began.
    expect(servedFor).toBeGreaterThan(maxStaleMs - 1000)
    expect(servedFor).toBeLessThan(maxStaleMs + 1200)
  })

  it('I4, I8: lets values be served while Redis is away, and a stalled one is found out', async () => {
    const heartbeat = { intervalMs: 50, timeoutMs: 200 }
    const { cache, is, fill } = start({ maxStaleMs: Number.POSITIVE_INFINITY, heartbeat })
    await is('synchronised')
    await fill('a', '1')
    proxy.swallow = () => true
    await is('degraded')
    expect(cache.peek('a')).toBe('1')
    await invalidator.publish(['a'])
    proxy.swallow = undefined
    await is('synchronised')
    expect(cache.peek('a')).toBeUndefined()
  })
})

describe('a cache and its subscription', () => {
  it('I8: are one to one; after unsubscribe it hears nothing, and another may follow', async () => {
    const { cache, subscriber, subscription, is, fill } = start()
    const listeners = subscriber.eventNames().length
    expect(() => subscribeToCacheInvalidation({ subscriber, cache })).toThrow(
      'cache already follows a subscription: it obeys one at a time, until its unsubscribe()',
    )
    expect(subscriber.eventNames()).toHaveLength(listeners)
    await is('synchronised')
    await fill('a', '1')
    const ended = subscription.unsubscribe()
    expect(cache.peek('a')).toBeUndefined()
    const next = subscribeToCacheInvalidation({ subscriber, cache })
    await ended
    await expect.poll(() => next.status).toBe('synchronised')
    expect(cache.peek('a')).toBeUndefined()
    await fill('a', '2')
    await invalidator.publish(['a'])
    await expect.poll(() => cache.peek('a')).toBeUndefined()
    await next.unsubscribe()
  })

  it('a cache of somebody else is refused', () => {
    const { subscriber } = start()
    expect(() => subscribeToCacheInvalidation({ subscriber, cache: new Map() as never })).toThrow(
      'cache must be one of createCoherentCache, not [object Map]',
    )
  })

  it('the Fastify plugin takes one too', async () => {
    const app = Fastify()
    ends.push(() => app.close())
    const cache = createCoherentCache<string>({ max: 10 })
    await app.register(subscriberPlugin, { subscriber: new Redis(server.port, '127.0.0.1'), cache })
    await expect.poll(() => app.cacheSubscription.status).toBe('synchronised')
    await cache.getOrLoad('a', () => '1')
    await invalidator.publish(['a'])
    await expect.poll(() => cache.peek('a')).toBeUndefined()
  })
})
