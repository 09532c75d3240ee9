import { AssertionError } from 'node:assert'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCacheInvalidator, createCoherentCache, subscribeToCacheInvalidation } from '../src/index.js'
import { type ContractAdapter, invalidationContract } from '../src/testing/index.js'
import { naiveAdapter } from './naive-bus.js'
import { startProxy, type TcpProxy } from './proxy.js'

let server: RedisServer
let proxy: TcpProxy
let raw: Redis

beforeAll(async () => {
  server = await startRedis()
  proxy = await startProxy(server.port)
  raw = new Redis(server.port, '127.0.0.1')
})
afterAll(async () => {
  raw.disconnect()
  await proxy.close()
  await server.stop()
})

const network = {
  cut() {
    // Nobody listens there.
    proxy.target = 1
    proxy.cut()
  },
  restore() {
    proxy.target = server.port
  },
}

function ours(protocol: 2 | 3): ContractAdapter {
  const connect = (port: number) =>
    new Redis({ host: '127.0.0.1', port, protocol, retryStrategy: () => 50 } as object)
  const follow = async (options: Omit<Parameters<typeof subscribeToCacheInvalidation>[0], 'subscriber'>) => {
    const subscriber = connect(proxy.port)
    const subscription = subscribeToCacheInvalidation({ subscriber, onError: () => {}, ...options })
    await expect.poll(() => subscription.status, { interval: 5 }).toBe('synchronised')
    return async () => {
      await subscription.unsubscribe()
      subscriber.disconnect()
    }
  }
  return {
    async publisher(channel) {
      const publisher = connect(server.port)
      return {
        publish: keys => createCacheInvalidator({ publisher, channel }).publish(keys),
        close: async () => publisher.disconnect(),
      }
    },
    async subscriber(channel, handlers) {
      return { close: await follow({ channel, ...handlers }) }
    },
    async cache(channel) {
      const cache = createCoherentCache<number>({ max: 100 })
      const close = await follow({ channel, cache })
      return { getOrLoad: (...asked) => cache.getOrLoad(...asked), close }
    },
    hasTags: true,
    publishRaw: (channel, message) => raw.publish(channel, message as string),
    network,
  }
}

describe.each([2, 3] as const)('this package keeps its contract, RESP%i:', protocol => {
  const cases = invalidationContract(ours(protocol))
  it.each(cases)('$name', async ({ skipped, run }) => {
    expect(skipped).toEqual([])
    await run()
  })
})

describe('the contract', () => {
  it('is not kept by bare PUBLISH and SUBSCRIBE with a cache that has no fence', async () => {
    const adapter = naiveAdapter(server.port, proxy.port)
    adapter.network = network
    adapter.arrivalMs = 1000
    const failed: string[] = []
    for (const { name, skipped, run } of invalidationContract(adapter))
      if (skipped.length === 0)
        await run().catch(error => {
          expect(error).toBeInstanceOf(AssertionError)
          failed.push(name)
        })
    expect(failed).toEqual([
      'a handler is not called while it is at work',
      'keys that a handler failed to take come again, or everything is flushed',
      'keys published during a break are replayed, or everything is flushed',
      'none of a burst is lost around a break',
      'a value whose load began before an invalidation is not stored after it',
      'who asks after an invalidation does not wait for a load that began before it',
      'what became stale during a break is not served after it',
      'a load that began before a break, and whose key was published in it, is not stored',
    ])
  })

  it('says what an adapter lacks; a case that is skipped cannot pass', async () => {
    const { publisher } = naiveAdapter(server.port, server.port)
    const cases = invalidationContract({ publisher })
    expect(cases.length).toBeGreaterThan(15)
    for (const { skipped, run } of cases) {
      expect(skipped.length).toBeGreaterThan(0)
      await expect(run()).rejects.toThrow(`the adapter has no ${skipped.join(', ')}`)
    }
  })
})
