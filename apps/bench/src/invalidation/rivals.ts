import type { EventEmitter } from 'node:events'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver } from 'bentocache/drivers/redis'
import { Cacheable, CacheableSyncEvents } from 'cacheable'
import { Redis } from 'ioredis'

/** A cache in memory that tells others, over its own bus, what is stale. */
interface RivalCache {
  /** What is stored under the key; else what the loader answers, which is stored. */
  getOrLoad<T>(key: string, loader: () => T | Promise<T>): Promise<T>
  /** Drops the keys here, and tells the others; resolves when their bus says that it is done. */
  invalidate(keys: string[]): Promise<void>
  close(): Promise<void>
}

interface RivalOptions {
  /** Where Redis, or a proxy to it, listens on the loopback interface. */
  port: number
  /** Called when keys that another cache invalidated arrive, before or while they are dropped. */
  onInvalidate?: (keys: string[]) => void
  onError?: (error: Error) => void
}

export interface Rival {
  name: string
  /** Resolves when it is subscribed; rejects where this version of Node can't run it. */
  open(options: RivalOptions): Promise<RivalCache>
}

/** What the adapter needs of the provider's clients, which its types call private. */
interface NodeRedisClient extends EventEmitter {
  isOpen: boolean
  destroy(): void
}

const ttl = 60 * 60 * 1000

/**
 * bentocache with its memory layer and its bus of Redis. It asks for ioredis 5; it is given 6, which it runs with.
 * One message holds all keys of a call. While Redis is away its retry queue keeps what couldn't be sent.
 */
const bentocache: Rival = {
  name: 'bentocache 1.6.1',
  async open({ port, onInvalidate = () => {}, onError = () => {} }) {
    const connection = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => 50 })
    // It makes two connections of its own from this one: one to publish, then one to subscribe.
    const made: Redis[] = []
    const duplicate = connection.duplicate.bind(connection)
    connection.duplicate = override => {
      const copy = duplicate({ ...override, lazyConnect: false })
      copy.on('error', onError)
      made.push(copy)
      return copy
    }
    const bento = new BentoCache({
      default: 'pages',
      stores: {
        pages: bentostore()
          .useL1Layer(memoryDriver({ maxItems: 100_000, serialize: false }))
          .useBus(redisBusDriver({ connection })),
      },
    })
    bento.on('bus:message:received', ({ message: { type, keys } }) => {
      if (type === 'delete') onInvalidate(keys)
    })
    // The bus is made when the cache is first used; its subscription was asked for before this answer.
    await bento.get({ key: 'first' })
    await made[1]?.ping()
    return {
      getOrLoad: (key, loader) => bento.getOrSet({ key, ttl, factory: loader }),
      async invalidate(keys) {
        await bento.deleteMany({ keys })
      },
      async close() {
        await Promise.race([bento.disconnect(), new Promise(resolve => setTimeout(resolve, 500).unref())])
        for (const copy of made) copy.disconnect()
      },
    }
  },
}

/**
 * cacheable with its memory layer and its sync over `@qified/redis`. One message holds one key. A load sends what it
 * stored to all others. `delete` tells them only when the key was stored here, so they are told as `delete` would. The
 * provider asks for Node 22; it was seen to run on 20.20 as well.
 */
const cacheable: Rival = {
  name: 'cacheable 2.5.0',
  async open({ port, onInvalidate = () => {}, onError = () => {} }) {
    const { RedisMessageProvider } = await import('@qified/redis')
    const provider = new RedisMessageProvider({ uri: `redis://127.0.0.1:${port}` })
    // Without a listener an error of the connection would end the process.
    const { pub, sub } = provider as unknown as Record<'pub' | 'sub', NodeRedisClient>
    for (const client of [pub, sub]) client.on('error', onError)
    await provider.connect()
    const cache = new Cacheable({ ttl, sync: { qified: provider } })
    cache.on('error', onError)
    cache.sync?.qified.on('error', onError)
    const { cacheId, sync } = cache
    await sync?.qified.subscribe(CacheableSyncEvents.DELETE, {
      async handler({ data }: { data: { cacheId: string; key: string } }) {
        if (data.cacheId !== cacheId) onInvalidate([data.key])
      },
    })
    return {
      getOrLoad: async <T>(key: string, loader: () => T | Promise<T>) =>
        (await cache.getOrSet(key, async () => loader())) as T,
      async invalidate(keys) {
        await Promise.all(
          keys.map(async key => {
            await cache.primary.delete(key)
            await sync?.publish(CacheableSyncEvents.DELETE, { cacheId, key })
          }),
        )
      },
      async close() {
        for (const client of [pub, sub]) if (client.isOpen) client.destroy()
      },
    }
  },
}

export const rivals: Rival[] = [bentocache, cacheable]
