import { AssertionError } from 'node:assert'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { startProxy, type TcpProxy } from '@scratchyjs/tooling/tcp-proxy'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCacheInvalidator, createCoherentCache, subscribeToCacheInvalidation } from '../src/index.js'
import { type ContractAdapter, type ContractCache, invalidationContract } from '../src/testing/index.js'
import { brokenAdapter, type Fault } from './broken-bus.js'
import { naiveAdapter } from './naive-bus.js'

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
      const { publish } = createCacheInvalidator({ publisher, channel })
      return { publish, close: async () => publisher.disconnect() }
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

/** The cases that an adapter fails. */
async function failuresOf(adapter: ContractAdapter): Promise<string[]> {
  const failed: string[] = []
  for (const { name, skipped, run } of invalidationContract(adapter)) {
    if (skipped.length > 0) continue
    await run().catch(error => {
      expect(error).toBeInstanceOf(AssertionError)
      failed.push(name)
    })
  }
  return failed
}

const notKeptByNaive = [
  'a handler is not called while it is at work',
  'keys that a handler failed to take come again, or everything is flushed',
  'keys published during a break are replayed, or everything is flushed',
  'none of a burst is lost around a break',
  'a value whose load began before an invalidation is not stored after it',
  'who asks after an invalidation does not wait for a load that began before it',
  'what became stale during a break is not served after it',
  'a load that began before a break, and whose key was published in it, is not stored',
]

/** What is wrong with a bus, and the case that shows it. */
const faults: [string, Fault][] = [
  ['every key of every message arrives', { mangle: () => keys => [keys.slice(0, 2)] }],
  ['keys arrive in the order in which they were published', { mangle: outOfOrder }],
  ['a thousand keys of one call arrive', { mangle: () => keys => [keys.slice(0, 999)] }],
  ['a key that is published again arrives again', { mangle: once }],
  ['keys of odd shapes arrive as they were', { mangle: () => keys => [keys.map(key => key.normalize())] }],
  ['every subscriber gets the keys of its channel, and no others', { ignoresChannel: true }],
  ['messages that are none harm nothing', { diesOfMalformed: true }],
  ['after close nothing is handed over, and closing is quick', { hearsAfterClose: true }],
  ['closing is quick during a break', { closesOnlyWithNetwork: true }],
  ['a value is served until its key is published, and then loaded anew', { mangle: () => () => [] }],
  [
    'those who ask at the same time share one load',
    { cache: ({ close }) => ({ close, getOrLoad: (_, load) => load() }) },
  ],
  ['an error is handed to who asked, and not stored', { cache: storingErrors }],
  [
    'a tag reaches the values that have it, and no others',
    { cache: ({ close, getOrLoad }) => ({ close, getOrLoad: (key, load) => getOrLoad(key, load) }) },
  ],
]

function outOfOrder(): (keys: readonly string[]) => (readonly string[])[] {
  const held: (readonly string[])[] = []
  return keys => (held.push(keys) < 2 ? [] : held.splice(0).reverse())
}

function once(): (keys: readonly string[]) => (readonly string[])[] {
  const seen = new Set<string>()
  return keys => [keys.filter(key => !seen.has(key) && seen.add(key))]
}

function storingErrors({ getOrLoad, close }: ContractCache): ContractCache {
  return { close, getOrLoad: (key, load, options) => getOrLoad(key, () => load().catch(() => -1), options) }
}

describe('the contract', () => {
  it('is not kept by bare PUBLISH and SUBSCRIBE with a cache that has no fence', async () => {
    const adapter = naiveAdapter(server.port, proxy.port)
    expect(await failuresOf({ ...adapter, network, arrivalMs: 1000 })).toEqual(notKeptByNaive)
  })

  it('is kept by a bus inside this process', async () => {
    expect(await failuresOf(brokenAdapter({}))).toEqual([])
  })

  it.each(faults)('shows in the case "%s" what is wrong with a bus', async (name, fault) => {
    const shown = invalidationContract(brokenAdapter(fault)).find(each => each.name === name)
    await expect(shown?.run()).rejects.toBeInstanceOf(AssertionError)
  })

  it('has no case that only passes', () => {
    const shown = new Set([...notKeptByNaive, ...faults.map(([name]) => name)])
    expect(invalidationContract(brokenAdapter({})).filter(({ name }) => !shown.has(name))).toEqual([])
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
