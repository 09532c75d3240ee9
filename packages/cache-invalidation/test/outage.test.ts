import { freePort, type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { startProxy, type TcpProxy } from '@scratchyjs/tooling/tcp-proxy'
import { Redis, type RedisOptions } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createCacheInvalidator } from '../src/index.js'
import { numbered, type Recorded, record } from './recorded-subscription.js'

const ends: (() => unknown)[] = []
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown) => unhandled.push(reason)

beforeAll(() => {
  process.on('unhandledRejection', onUnhandled)
  process.on('uncaughtException', onUnhandled)
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  expect(unhandled).toEqual([])
})
afterAll(() => {
  process.removeListener('unhandledRejection', onUnhandled)
  process.removeListener('uncaughtException', onUnhandled)
})

async function redisServer(...options: Parameters<typeof startRedis>): Promise<RedisServer> {
  const server = await startRedis(...options)
  ends.push(() => server.stop())
  return server
}

async function proxyTo(server: RedisServer): Promise<TcpProxy> {
  const proxy = await startProxy(server.port)
  ends.push(() => proxy.close())
  return proxy
}

function invalidatorAt({ port }: { port: number }) {
  const publisher = new Redis(port, '127.0.0.1')
  publisher.on('error', () => {})
  ends.push(() => publisher.disconnect())
  return { publisher, ...createCacheInvalidator({ publisher }) }
}

function start(client: RedisOptions, options?: Parameters<typeof record>[1]): Recorded {
  const recorded = record({ retryStrategy: () => 50, ...client }, options)
  ends.push(() => recorded.end())
  return recorded
}

describe('a server that is replaced', () => {
  it('by itself, restarted without persistence: one flush, because its log is another', async () => {
    const first = await redisServer()
    const recorded = start({ port: first.port })
    await invalidatorAt(first).publish(['a'])
    await recorded.synchronised()
    await first.stop()
    await expect.poll(() => recorded.subscription.status).toBe('degraded')
    const second = await redisServer({ port: first.port })
    await recorded.synchronised()
    expect(recorded.flushes).toEqual(['epoch'])
    const place = await invalidatorAt(second).publish(['b'])
    await expect.poll(() => recorded.keys).toEqual(['a', 'b'])
    expect(recorded.subscription.position).toEqual(place)
  })

  it('by a replica that lacks the newest messages and uses their numbers again: one flush', async () => {
    const master = await redisServer({ args: ['--repl-diskless-sync-delay', '0'] })
    const replica = await redisServer({ args: ['--replicaof', '127.0.0.1', `${master.port}`] })
    const [old, next] = [invalidatorAt(master), invalidatorAt(replica)]
    const proxy = await proxyTo(master)
    const recorded = start({ port: proxy.port })
    await recorded.synchronised()
    await old.publish(['a'])
    await expect.poll(() => next.publisher.hexists(`${old.channel}:log`, '1'), { timeout: 10_000 }).toBe(1)
    await next.publisher.replicaof('NO', 'ONE')
    const { epoch } = await old.publish(['only on the master'])
    await expect.poll(() => recorded.keys.length).toBe(2)
    await master.stop()
    proxy.target = replica.port
    expect(await next.publish(['b'])).toEqual({ epoch, sequence: 2 })
    await recorded.synchronised()
    expect(recorded.flushes).toEqual(['server'])
    await next.publish(['c'])
    await expect.poll(() => recorded.keys.at(-1)).toBe('c')
    expect(recorded.flushes).toEqual(['server'])
  })
})

describe.each([2, 3] as const)('a server that says nothing any more, RESP%i', protocol => {
  it('is noticed within 3 s; what was published meanwhile is replayed', async () => {
    const server = await redisServer()
    const { publish } = invalidatorAt(server)
    const recorded = start({ port: server.port, protocol })
    await publish(['a'])
    await recorded.synchronised()
    server.signal('SIGSTOP')
    const stopped = performance.now()
    await expect.poll(() => recorded.subscription.status, { timeout: 10_000 }).toBe('degraded')
    // 750 + 1500 ms, and what a busy machine adds
    expect(performance.now() - stopped).toBeLessThan(3000)
    expect(recorded.codes()).toEqual(['HEARTBEAT_MISSED'])
    const published = Promise.all(numbered('k', 20).map(key => publish([key])))
    server.signal('SIGCONT')
    await published
    await recorded.synchronised()
    expect(recorded.keys).toEqual(['a', ...numbered('k', 20)])
    expect(recorded.flushes).toEqual([])
  })

  it('nor lets new connections in: it is tried again until it does', async () => {
    const server = await redisServer()
    const { publish } = invalidatorAt(server)
    const proxy = await proxyTo(server)
    const heartbeat = { intervalMs: 50, timeoutMs: 200 }
    const recorded = start({ port: proxy.port, protocol, disconnectTimeout: 50 }, { heartbeat })
    await recorded.synchronised()
    proxy.swallow = () => true
    await expect.poll(() => recorded.codes().length, { timeout: 5000 }).toBeGreaterThanOrEqual(3)
    expect(new Set(recorded.codes())).toEqual(new Set(['HEARTBEAT_MISSED']))
    await publish(['a'])
    proxy.swallow = undefined
    await recorded.synchronised()
    expect(recorded.keys).toEqual(['a'])
    expect(recorded.flushes).toEqual([])
  })
})

describe('a subscribed connection that is half open', () => {
  it.each([
    [2, undefined],
    [3, undefined],
    // ioredis gives up commands before the heartbeat does, and keeps the connection.
    [2, 150],
    [3, 150],
  ] as const)(
    'is found though others to the same server work, RESP%i, commandTimeout %s',
    async (protocol, commandTimeout) => {
      const server = await redisServer()
      const { publish } = invalidatorAt(server)
      const proxy = await proxyTo(server)
      const recorded = start(
        { port: proxy.port, protocol, disconnectTimeout: 50, commandTimeout },
        { heartbeat: { intervalMs: 50, timeoutMs: 200 } },
      )
      await recorded.synchronised()
      proxy.swallow = (_, connection) => connection === 1
      await expect.poll(() => recorded.codes()[0], { timeout: 5000 }).toBe('HEARTBEAT_MISSED')
      await recorded.synchronised()
      await publish(['a'])
      await expect.poll(() => recorded.keys).toEqual(['a'])
      expect(recorded.flushes).toEqual([])
    },
  )
})

describe('a subscriber', () => {
  it('that starts while Redis is away gets in step later, with a flush, since it missed who knows what', async () => {
    const port = await freePort()
    const recorded = start({ port })
    await expect.poll(() => recorded.subscription.status).toBe('degraded')
    expect(recorded.subscription.position).toBeUndefined()
    const server = await redisServer({ port })
    await recorded.synchronised()
    await invalidatorAt(server).publish(['a'])
    await expect.poll(() => recorded.keys).toEqual(['a'])
    expect(recorded.flushes).toEqual(['epoch'])
    expect(recorded.codes()).toContain('REDIS_UNAVAILABLE')
  })

  it('that is too slow and cut off by Redis misses nothing', async () => {
    const server = await redisServer({ args: ['--client-output-buffer-limit', 'pubsub 1mb 1mb 1'] })
    const { publish, publisher } = invalidatorAt(server)
    const proxy = await proxyTo(server)
    const recorded = start({ port: proxy.port }, { heartbeat: { intervalMs: 60_000 } })
    await recorded.synchronised()
    proxy.pause(true)
    const keys = numbered('k', 200)
    const filler = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(5000))
    for (const key of keys) await publish([key, ...filler])
    // So that its end is not what the heartbeat finds.
    await expect.poll(() => publisher.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).toBe('')
    proxy.pause(false)
    await expect.poll(() => recorded.keys.length, { timeout: 15_000 }).toBe(keys.length * 21)
    expect(recorded.keys.filter(key => key.startsWith('k'))).toEqual(keys)
    expect(recorded.flushes).toEqual([])
  })

  it('whose thread was busy for long does not take the server for dead', async () => {
    const server = await redisServer()
    const { publish } = invalidatorAt(server)
    const recorded = start(
      { port: server.port },
      {
        heartbeat: { intervalMs: 20, timeoutMs: 300 },
        onInvalidate() {
          const until = performance.now() + 700
          while (performance.now() < until);
        },
      },
    )
    await recorded.synchronised()
    for (const key of numbered('k', 3)) await publish([key])
    await expect.poll(() => recorded.subscription.position?.sequence, { timeout: 10_000 }).toBe(3)
    await recorded.synchronised()
    expect(recorded.errors).toEqual([])
  })

  it('whose renewed subscription breaks at once does not end the process', async () => {
    const server = await redisServer()
    const proxy = await proxyTo(server)
    const recorded = start({ port: proxy.port, maxRetriesPerRequest: 1 })
    await recorded.synchronised()
    const refused = new Promise<void>(resolve => {
      proxy.swallow = data => {
        if (!data.includes('subscribe')) return false
        setImmediate(() => proxy.close().then(resolve))
        return true
      }
    })
    proxy.cut()
    await refused
    await expect.poll(() => recorded.codes().length).toBeGreaterThanOrEqual(3)
    await new Promise(setImmediate)
    expect(unhandled).toEqual([])
  })
})

describe('unsubscribe', () => {
  it.each(['stalled', 'gone', 'not connected yet'])('is quick when the server is %s', async state => {
    const server = await redisServer()
    const client = start({ port: server.port, lazyConnect: state === 'not connected yet' })
    if (state !== 'not connected yet') await client.synchronised()
    if (state === 'stalled') server.signal('SIGSTOP')
    if (state === 'gone') {
      await server.stop()
      await expect.poll(() => client.subscription.status).toBe('degraded')
    }
    const started = performance.now()
    await client.subscription.unsubscribe()
    expect(performance.now() - started).toBeLessThan(2000)
    await client.subscription.unsubscribe()
  })

  it('while the connection is broken still holds after it is back', async () => {
    const server = await redisServer()
    const { publisher, channel } = invalidatorAt(server)
    const recorded = start({ port: server.port, retryStrategy: () => 200 })
    await recorded.synchronised()
    await publisher.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await expect.poll(() => recorded.subscription.status).toBe('degraded')
    await recorded.subscription.unsubscribe()
    expect(await recorded.subscriber.ping()).toBe('PONG')
    await expect.poll(() => publisher.pubsub('NUMSUB', channel)).toEqual([channel, 0])
  })
})
