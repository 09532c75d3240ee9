import { freePort, type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { startProxy } from '@scratchyjs/tooling/tcp-proxy'
import { Redis, type RedisOptions } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type CacheInvalidatorOptions,
  createCacheInvalidator,
  DEFAULT_CACHE_INVALIDATION_CHANNEL,
} from '../src/index.js'

const channel = DEFAULT_CACHE_INVALIDATION_CHANNEL
let server: RedisServer
let redis: Redis
const clients: Redis[] = []

beforeAll(async () => {
  server = await startRedis()
  redis = open({ port: server.port })
})
afterEach(() => {
  for (const client of clients.splice(1)) client.disconnect()
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

function open(options: RedisOptions): Redis {
  const client = new Redis({ host: '127.0.0.1', ...options } as object)
  client.on('error', () => {})
  clients.push(client)
  return client
}

async function listen(): Promise<string[]> {
  const received: string[] = []
  const client = open({ port: server.port })
  client.on('message', (_, message) => received.push(message))
  await client.subscribe(channel)
  return received
}

describe('publish', () => {
  it('resolves when the keys are in the log and on their way, to their place', async () => {
    const received = await listen()
    const invalidator = createCacheInvalidator({ publisher: redis })
    expect(invalidator.channel).toBe('scratchy:cache:invalidate')
    const { epoch, sequence } = await invalidator.publish(['a', 'b'])
    expect(await redis.hget(`${channel}:log`, `${sequence}`)).toContain('["a","b"]')
    await expect
      .poll(() => received.map(message => JSON.parse(message)))
      .toMatchObject([{ keys: ['a', 'b'], epoch, sequence }])
  })

  it('under an id is done once, by whoever repeats it', async () => {
    const received = await listen()
    const other = createCacheInvalidator({ publisher: open({ port: server.port }) })
    const first = await createCacheInvalidator({ publisher: redis }).publish(['a'], { id: 'deploy-7' })
    expect(await other.publish(['a'], { id: 'deploy-7' })).toEqual(first)
    const { sequence } = await other.publish(['b'])
    expect(sequence).toBe(first.sequence + 1)
    await expect.poll(() => received.length).toBe(2)
  })

  it('whose answer is lost (commandTimeout) is repeated, and published once', async () => {
    const received = await listen()
    const publisher = open({ port: server.port, commandTimeout: 150 })
    await publisher.ping()
    const before = await createCacheInvalidator({ publisher: redis }).publish(['before'])
    server.signal('SIGSTOP')
    const published = createCacheInvalidator({ publisher }).publish(['a'])
    await new Promise(resolve => setTimeout(resolve, 220))
    server.signal('SIGCONT')
    expect(await published).toEqual({ ...before, sequence: before.sequence + 1 })
    await createCacheInvalidator({ publisher: redis }).publish(['last'])
    await expect
      .poll(() => received.map(message => JSON.parse(message).keys[0]))
      .toEqual(['before', 'a', 'last'])
  })

  it('whose connection breaks before the answer is repeated by ioredis, and published once', async () => {
    const received = await listen()
    const proxy = await startProxy(server.port)
    const publisher = open({ port: proxy.port })
    await publisher.ping()
    proxy.pause(true)
    const published = createCacheInvalidator({ publisher }).publish(['a'])
    await expect.poll(() => received.length).toBe(1)
    proxy.cut()
    await published
    await createCacheInvalidator({ publisher: redis }).publish(['b'])
    await expect.poll(() => received.map(message => JSON.parse(message).keys[0])).toEqual(['a', 'b'])
    publisher.disconnect()
    await proxy.close()
  })

  it('is given up after its time, or when it is aborted', async () => {
    const publisher = open({ port: server.port })
    await publisher.ping()
    const { publish } = createCacheInvalidator({ publisher })
    server.signal('SIGSTOP')
    await expect(publish(['a'], { timeoutMs: 50 })).rejects.toMatchObject({
      name: 'CacheInvalidationError',
      code: 'PUBLISH_TIMEOUT',
    })
    const controller = new AbortController()
    const published = publish(['a'], { signal: controller.signal })
    controller.abort(new Error('changed my mind'))
    await expect(published).rejects.toThrow('changed my mind')
    await expect(publish(['a'], { signal: controller.signal })).rejects.toThrow('changed my mind')
    server.signal('SIGCONT')
  })

  it('fails with the reason of Redis', async () => {
    await redis.set('other:log', 'no log')
    const other = createCacheInvalidator({ publisher: redis, channel: 'other' })
    await expect(other.publish(['a'])).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringMatching(/^Cannot publish 1 keys on other: WRONGTYPE/),
      cause: expect.any(Error),
    })
    const publisher = open({ port: await freePort(), lazyConnect: true })
    publisher.disconnect()
    await expect(createCacheInvalidator({ publisher }).publish(['a'])).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringMatching(/the client has ended/),
    })
  })
})

describe('what is refused reaches nobody', () => {
  it('keys that are none, ids that are none', async () => {
    const received = await listen()
    const { publish } = createCacheInvalidator({ publisher: redis })
    for (const keys of [[], [''], ['a', ''], [1], [null], 'a', undefined])
      await expect(publish(keys as string[]), `${keys}`).rejects.toThrow(TypeError)
    await expect(publish(['x'.repeat(9000)])).rejects.toThrow(RangeError)
    await expect(publish(Array.from({ length: 1000 }, () => 'x'.repeat(2000)))).rejects.toThrow(RangeError)
    for (const id of ['', 'a"b', 'x'.repeat(65), 7])
      await expect(publish(['a'], { id: id as string })).rejects.toThrow(/id must be/)
    await expect(publish(['a'], { timeoutMs: 0 })).rejects.toThrow(/timeoutMs must be/)
    await redis.publish(channel, 'mark')
    await expect.poll(() => received).toEqual(['mark'])
  })

  it.each<[string, Partial<Record<keyof CacheInvalidatorOptions, unknown>>, RegExp]>([
    ['no client', { publisher: undefined }, /publisher must be a Redis or Cluster of ioredis, not undefined/],
    ['an empty channel', { channel: '' }, /channel must be/],
    [
      'a log of nothing',
      { log: { maxLength: 0 } },
      /log.maxLength must be an integer from 1 to 1000000, not 0/,
    ],
    ['a log without end', { log: { ttl: Number.POSITIVE_INFINITY } }, /log.ttl must be .*, not Infinity/],
  ])('an invalidator with %s', (_, option, message) => {
    expect(() => createCacheInvalidator({ publisher: redis, ...option } as CacheInvalidatorOptions)).toThrow(
      message,
    )
  })
})
