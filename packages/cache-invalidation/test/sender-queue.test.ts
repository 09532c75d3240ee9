import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { startProxy, type TcpProxy } from '@scratchyjs/tooling/tcp-proxy'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type CacheInvalidator,
  type CacheInvalidatorOptions,
  createCacheInvalidator,
  MAX_MESSAGE_BYTES,
} from '../src/index.js'
import { appendTo, type LogPosition } from '../src/log.js'
import { encodeKeys } from '../src/message.js'
import { SenderQueue } from '../src/sender-queue.js'
import { numbered, record } from './recorded-subscription.js'

interface Received {
  keys: string[]
  flush?: boolean
  sequence: number
}

const ends: (() => unknown)[] = []
let server: RedisServer
let admin: Redis
/** Every message of the channel, as it was published. */
let received: Received[]
let sizes: number[]

beforeEach(async () => {
  server = await startRedis()
  ends.push(() => server.stop())
  admin = connect({ port: server.port })
  received = []
  sizes = []
  const listener = connect({ port: server.port })
  listener.on('message', (_, message) => {
    received.push(JSON.parse(message))
    sizes.push(Buffer.byteLength(message))
  })
  await listener.subscribe('scratchy:cache:invalidate')
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function connect(options: RedisOptions): Redis {
  const client = new Redis({ host: '127.0.0.1', retryStrategy: () => 20, ...options } as object)
  client.on('error', () => {})
  ends.push(() => client.disconnect())
  return client
}

async function proxied(): Promise<TcpProxy> {
  const proxy = await startProxy(server.port)
  ends.push(() => proxy.close())
  return proxy
}

/** An invalidator whose network can be taken away. */
async function startAway(
  client: RedisOptions = {},
  options: Partial<CacheInvalidatorOptions> = {},
): Promise<{ publisher: Redis; invalidator: CacheInvalidator; away(): void; back(): void }> {
  const proxy = await proxied()
  const publisher = connect({ port: proxy.port, ...client })
  if (!client.lazyConnect) await publisher.ping().catch(() => {})
  const away = () => {
    proxy.target = 1
    proxy.cut()
  }
  away()
  await expect.poll(() => publisher.status).not.toBe('ready')
  const back = () => {
    proxy.target = server.port
  }
  return { publisher, invalidator: createCacheInvalidator({ publisher, ...options }), away, back }
}

const receivedKeys = () => received.flatMap(({ keys }) => keys)

describe('a publication', () => {
  it('goes out at once; what comes while it is on its way goes together, each key once', async () => {
    const publisher = connect({ port: server.port })
    await publisher.ping()
    const { publish, stats } = createCacheInvalidator({ publisher })
    const first = publish(['a'])
    const rest = numbered('k', 50).map(key => publish([key, 'often']))
    expect(stats()).toMatchObject({ queuedKeys: 52, coalescedKeys: 49, sentKeys: 0 })
    const { epoch } = await first
    expect(await Promise.all(rest)).toEqual(rest.map(() => ({ epoch, sequence: 2 })))
    await expect
      .poll(() => received.map(({ keys }) => keys))
      .toEqual([['a'], ['k1', 'often', ...numbered('k', 50).slice(1)]])
    const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats')) ?? []
    // The first, unknown to Redis yet, is followed by the script itself.
    expect(Number(calls)).toBe(2)
    expect(stats()).toEqual({
      queuedKeys: 0,
      queuedBytes: 0,
      sentKeys: 52,
      sentMessages: 2,
      coalescedKeys: 49,
      overflows: 0,
    })
  })

  it('under an id of its own stays by itself', async () => {
    const publisher = connect({ port: server.port })
    const { publish } = createCacheInvalidator({ publisher })
    const places = await Promise.all([publish(['a']), publish(['a', 'b'], { id: 'x' }), publish(['b'])])
    expect(places.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(await publish(['a', 'b'], { id: 'x' })).toEqual(places[1])
    await expect.poll(() => received.map(({ keys }) => keys)).toEqual([['a'], ['a', 'b'], ['b']])
  })
})

describe('I11: while Redis is away', () => {
  it.each<[string, RedisOptions]>([
    ['maxRetriesPerRequest: null', { maxRetriesPerRequest: null }],
    ['maxRetriesPerRequest: 0', { maxRetriesPerRequest: 0 }],
    ['enableOfflineQueue: false', { enableOfflineQueue: false, maxRetriesPerRequest: 0 }],
    ['autoResendUnfulfilledCommands: false', { autoResendUnfulfilledCommands: false }],
    ['lazyConnect', { lazyConnect: true }],
    ['RESP2 and a short commandTimeout', { protocol: 2, commandTimeout: 100 }],
  ])('keys wait, and are sent in order: %s', async (_, client) => {
    const { invalidator, back } = await startAway(client)
    const keys = numbered('k', 300).map(key => key.padEnd(1000))
    const published = [...keys, ...keys.slice(0, 100)].map(key => invalidator.publish([key]))
    expect(invalidator.stats()).toMatchObject({ queuedKeys: 300, coalescedKeys: 100 })
    await new Promise(resolve => setTimeout(resolve, 150))
    back()
    const places = await Promise.all(published)
    expect(receivedKeys().length).toBeLessThanOrEqual(300)
    await expect.poll(receivedKeys).toEqual(keys)
    expect(Math.max(...sizes)).toBeLessThan(MAX_MESSAGE_BYTES)
    // Each promise names the message with its key.
    for (const [index, { sequence }] of places.entries())
      expect(received[sequence - 1]?.keys).toContain(keys[index % 300])
    expect(invalidator.stats().queuedBytes).toBe(0)
  })

  it('a caller may stop waiting: its keys are sent all the same', async () => {
    const { invalidator, back } = await startAway()
    const controller = new AbortController()
    const published = [
      invalidator.publish(['timed out'], { timeoutMs: 30 }),
      invalidator.publish(['aborted'], { signal: controller.signal }),
    ]
    controller.abort(new Error('changed my mind'))
    expect(await Promise.allSettled(published)).toMatchObject([
      { reason: { code: 'PUBLISH_TIMEOUT' } },
      { reason: { message: 'changed my mind' } },
    ])
    back()
    await expect.poll(receivedKeys).toEqual(['timed out', 'aborted'])
  })

  it.each([
    ['keys', { maxKeys: 20 }],
    ['bytes', { maxBytes: 200 }],
  ])('too many %s become one message: everything is stale', async (_, queue) => {
    const live = record({ port: server.port })
    ends.push(() => live.end())
    await live.synchronised()
    const { invalidator, back } = await startAway({}, { queue })
    const published = numbered('k', 50).map(key => invalidator.publish([key]))
    expect(invalidator.stats().overflows).toBe(1)
    back()
    const places = await Promise.all(published)
    const last = await invalidator.publish(['after'])
    expect(places).toEqual(places.map(() => ({ epoch: last.epoch, sequence: 1 })))
    await expect.poll(() => live.subscription.position).toEqual(last)
    expect(received).toMatchObject([{ keys: [], flush: true }, { keys: ['after'] }])
    expect([live.flushes, live.keys, live.codes()]).toEqual([['overflow'], ['after'], []])
  })

  it('a subscriber that was away as well reads of it in the log', async () => {
    const late = await proxied()
    const recorded = record({ port: late.port, retryStrategy: () => 20 })
    ends.push(() => recorded.end())
    await recorded.synchronised()
    late.target = 1
    late.cut()
    const { invalidator, back } = await startAway({}, { queue: { maxKeys: 1 } })
    const published = Promise.all(numbered('k', 3).map(key => invalidator.publish([key])))
    back()
    await published
    const last = await invalidator.publish(['after'])
    late.target = server.port
    await expect.poll(() => recorded.subscription.position, { timeout: 5000 }).toEqual(last)
    expect([recorded.flushes, recorded.keys]).toEqual([['overflow'], ['after']])
  })

  it('nothing is left on the client a while after all is sent', async () => {
    const { publisher, invalidator, back } = await startAway()
    const before = publisher.listenerCount('ready')
    const published = Promise.all(numbered('k', 10).map(key => invalidator.publish([key])))
    expect(publisher.listenerCount('ready')).toBe(before + 1)
    back()
    await published
    await expect.poll(() => publisher.listenerCount('ready'), { timeout: 6000 }).toBe(before)
  })
})

describe('I12: an answer that is lost', () => {
  it.each<[string, RedisOptions]>([
    ['and ioredis sends again', {}],
    ['and ioredis gives up', { maxRetriesPerRequest: 0, enableOfflineQueue: false }],
    ['and ioredis does not send again', { autoResendUnfulfilledCommands: false }],
  ])('is asked for again under the same id: published once, in order: %s', async (_, client) => {
    const proxy = await proxied()
    const publisher = connect({ port: proxy.port, ...client })
    await expect.poll(() => publisher.status).toBe('ready')
    const { publish } = createCacheInvalidator({ publisher })
    await publish(['first'])
    proxy.pause(true)
    const published = ['a', 'b', 'a'].map(key => publish([key]))
    await expect.poll(() => received.length).toBe(2)
    proxy.cut()
    expect((await Promise.all(published)).map(({ sequence }) => sequence)).toEqual([2, 3, 3])
    await expect.poll(() => received.map(({ keys }) => keys)).toEqual([['first'], ['a'], ['b', 'a']])
  })

  it.each([
    ['half open', 1],
    ['made but not answered, and again', 3],
  ])('for long, on a connection that is %s: it is made anew', async (_, broken) => {
    const proxy = await proxied()
    const publisher = connect({ port: proxy.port, disconnectTimeout: 50 })
    await publisher.ping()
    const append = appendTo(publisher, 'scratchy:cache:invalidate', { maxLength: 10, ttl: 60 })
    const queue = new SenderQueue(publisher, append, { maxKeys: 10, maxBytes: 1000 }, 100)
    proxy.swallow = (_, connection) => connection <= broken
    if (broken > 1) {
      proxy.cut()
      await expect.poll(() => publisher.status).not.toBe('ready')
    }
    const place = await new Promise<LogPosition>((resolve, reject) =>
      queue.add(encodeKeys(['a']), undefined, {
        timeoutMs: 10_000,
        resolve,
        reject,
        expire() {},
      }),
    )
    expect(place.sequence).toBe(1)
    await queue.close(100)
  })
})

describe('an answer that says no', () => {
  it('for now is not taken for an answer: a read-only server, a full one', async () => {
    const publisher = connect({ port: server.port })
    const { publish } = createCacheInvalidator({ publisher })
    await publish(['a'])
    await admin.config('SET', 'maxmemory', 1)
    const published = [publish(['b']), publish(['c'])]
    await expect(publish(['d'], { timeoutMs: 60 })).rejects.toMatchObject({
      code: 'PUBLISH_TIMEOUT',
      message: expect.stringMatching(
        /^Cannot publish 1 keys on .* within 60 ms \(OOM .*\): they are queued$/,
      ),
    })
    await admin.config('SET', 'maxmemory', 0)
    await Promise.all(published)
    await admin.replicaof('127.0.0.1', 1)
    const last = publish(['e'])
    await new Promise(resolve => setTimeout(resolve, 80))
    await admin.replicaof('NO', 'ONE')
    await last
    await expect.poll(receivedKeys).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('for good rejects what waits, which is then not sent', async () => {
    await admin.acl('SETUSER', 'nobody', 'on', 'nopass', '~*', '&*', '+@all', '-evalsha')
    const publisher = connect({ port: server.port, username: 'nobody', password: 'x' })
    await publisher.ping()
    const { publish, stats } = createCacheInvalidator({ publisher })
    const published = await Promise.allSettled([publish(['a']), publish(['b'])])
    expect(published.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(published[1]).toMatchObject({
      reason: { code: 'PUBLISH_FAILED', message: expect.stringMatching(/: NOPERM /) },
    })
    expect(stats()).toMatchObject({ queuedKeys: 0, queuedBytes: 0, sentKeys: 0 })
    await admin.acl('SETUSER', 'nobody', '+evalsha')
    await publish(['c'])
    await expect.poll(receivedKeys).toEqual(['c'])
  })

  it('on a client that is in subscriber mode rejects', async () => {
    const publisher = connect({ port: server.port, protocol: 2 })
    await publisher.subscribe('other')
    await expect(createCacheInvalidator({ publisher }).publish(['a'])).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringMatching(/subscriber mode/),
    })
  })
})

describe('I13: the end', () => {
  it('comes when what waits is sent, and nothing is taken any more', async () => {
    const { publisher, invalidator, back } = await startAway()
    const published = Promise.all(numbered('k', 5).map(key => invalidator.publish([key])))
    const closed = invalidator.close()
    back()
    await closed
    expect(await published).toHaveLength(5)
    await expect.poll(receivedKeys).toEqual(numbered('k', 5))
    await expect(invalidator.publish(['late'])).rejects.toMatchObject({ code: 'PUBLISH_FAILED' })
    await invalidator.close()
    expect(publisher.status).toBe('ready')
  })

  it('comes in time, and rejects what is not sent', async () => {
    const { invalidator } = await startAway()
    const published = invalidator.publish(['a']).catch(error => error)
    const started = performance.now()
    await invalidator.close({ timeoutMs: 100 })
    expect(performance.now() - started).toBeLessThan(500)
    expect(await published).toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringMatching(/is closed/),
    })
    expect(invalidator.stats().queuedKeys).toBe(0)
  })

  it('of the client rejects what waits', async () => {
    const publisher = connect({ port: server.port })
    await publisher.ping()
    const { publish } = createCacheInvalidator({ publisher })
    const published = Promise.allSettled([publish(['a']), publish(['b'])])
    publisher.disconnect()
    for (const outcome of await published)
      expect(outcome).toMatchObject({ reason: { code: 'PUBLISH_FAILED' } })
    await expect(publish(['c'])).rejects.toThrow(/the client has ended/)
  })
})

it('a cluster is published to, through killed connections and scripts it does not know', async () => {
  const node = await startRedis({
    args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
  })
  ends.push(() => node.stop())
  const direct = connect({ port: node.port })
  await direct.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
  await expect.poll(() => direct.cluster('INFO'), { timeout: 10_000 }).toMatch(/cluster_state:ok/)
  const seen: string[] = []
  const listener = connect({ port: node.port })
  listener.on('message', (_, message) => seen.push(...JSON.parse(message).keys))
  await listener.subscribe('c')
  const publisher = new Cluster([{ host: '127.0.0.1', port: node.port }], {
    redisOptions: { maxRetriesPerRequest: 0 },
  })
  publisher.on('error', () => {})
  ends.push(() => publisher.disconnect())
  const { publish } = createCacheInvalidator({ publisher, channel: 'c' })
  const keys = numbered('k', 60)
  const published: Promise<unknown>[] = []
  for (const [index, key] of keys.entries()) {
    published.push(publish([key]))
    if (index % 20 === 10) await direct.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    if (index % 20 === 15) await direct.script('FLUSH')
  }
  await Promise.all(published)
  await expect.poll(() => seen).toEqual(keys)
})
