import { Redis } from 'ioredis'
import type { ContractAdapter, ContractCache } from '../src/testing/index.js'

/** Keys over bare PUBLISH and SUBSCRIBE, and a cache with single flight over it: what is often written. */
export function naiveAdapter(port: number, subscriberPort: number): ContractAdapter {
  const connect = (to: number) =>
    new Redis({ host: '127.0.0.1', port: to, retryStrategy: () => 50 }).on('error', () => {})
  const listen = async (channel: string, hear: (keys: string[]) => unknown) => {
    const subscriber = connect(subscriberPort)
    await subscriber.subscribe(channel)
    subscriber.on('message', async (_, message) => {
      try {
        await hear(JSON.parse(message).keys)
      } catch {}
    })
    return async () => subscriber.disconnect()
  }
  return {
    async publisher(channel) {
      const redis = connect(port)
      return {
        publish: keys => redis.publish(channel, JSON.stringify({ keys })),
        close: async () => redis.disconnect(),
      }
    },
    async subscriber(channel, { onInvalidate }) {
      return { close: await listen(channel, onInvalidate) }
    },
    async cache(channel) {
      const values = new Map<string, number>()
      const loads = new Map<string, Promise<number>>()
      const close = await listen(channel, keys => {
        for (const key of keys) values.delete(key)
      })
      const load = async (key: string, loader: () => Promise<number>) => {
        try {
          const value = await loader()
          values.set(key, value)
          return value
        } finally {
          loads.delete(key)
        }
      }
      const getOrLoad: ContractCache['getOrLoad'] = async (key, loader) => {
        const value = values.get(key)
        if (value !== undefined) return value
        const loading = loads.get(key) ?? load(key, loader)
        loads.set(key, loading)
        return loading
      }
      return { getOrLoad, close }
    },
  }
}
