import { once } from 'node:events'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type CacheInvalidator,
  createCacheInvalidator,
  DEFAULT_CACHE_INVALIDATION_CHANNEL,
  subscribeToCacheInvalidation,
} from '../src/index.js'
import { numbered, type Recorded, record } from './recorded-subscription.js'

const channel = DEFAULT_CACHE_INVALIDATION_CHANNEL
let server: RedisServer
let publisher: Redis
let invalidator: CacheInvalidator
const open: Recorded[] = []

beforeAll(async () => {
  server = await startRedis()
  publisher = new Redis(server.port, '127.0.0.1')
  invalidator = createCacheInvalidator({ publisher })
})
beforeEach(() => publisher.flushall())
afterEach(async () => {
  await Promise.all(open.splice(0).map(recorded => recorded.end()))
})
afterAll(async () => {
  publisher.disconnect()
  await server.stop()
})

function start(...[client, options]: Parameters<typeof record>): Recorded {
  const recorded = record(client instanceof Redis ? client : { port: server.port, ...client }, options)
  open.push(recorded)
  return recorded
}

const killSubscribers = () => publisher.call('CLIENT', 'KILL', 'TYPE', 'pubsub')

describe.each([2, 3] as const)('with a RESP%i client', protocol => {
  it('keys arrive in order, and the position follows', async () => {
    const recorded = start({ protocol })
    await recorded.synchronised()
    for (const key of numbered('k', 20)) await invalidator.publish([key, `${key}b`])
    await expect.poll(() => recorded.keys.length).toBe(40)
    expect(recorded.keys.slice(0, 4)).toEqual(['k1', 'k1b', 'k2', 'k2b'])
    const { epoch } = await invalidator.publish(['last'])
    await expect.poll(() => recorded.subscription.position).toEqual({ epoch, sequence: 21 })
    expect(recorded.subscription.channel).toBe(channel)
    expect(recorded.flushes).toEqual([])
    expect(recorded.errors).toEqual([])
  })

  it('keys published right after the call arrive, though nothing is connected yet', async () => {
    await invalidator.publish(['before'])
    await new Promise(resolve => setTimeout(resolve, 100))
    const recorded = start({ protocol })
    expect(recorded.subscription.status).toBe('replaying')
    await invalidator.publish(['at once'])
    await expect.poll(() => recorded.keys).toEqual(['at once'])
  })

  it('none of 400 keys is lost when the connections are killed in mid-burst', async () => {
    const recorded = start({ protocol })
    await recorded.synchronised()
    const keys = numbered('k', 400)
    for (const [index, key] of keys.entries()) {
      const published = invalidator.publish([key])
      if (index % 130 === 100) void killSubscribers()
      await published
    }
    await expect.poll(() => recorded.keys.length).toBe(400)
    await recorded.synchronised()
    expect(recorded.keys).toEqual(keys)
    expect(recorded.flushes).toEqual([])
    expect(recorded.subscriber.listenerCount('messageBuffer')).toBe(1)
  })

  it('what was published while it was away is replayed, page after page', async () => {
    const recorded = start({ protocol, retryStrategy: () => 300 })
    await recorded.synchronised()
    await killSubscribers()
    await expect.poll(() => recorded.subscription.status).toBe('degraded')
    const keys = numbered('k', 2500)
    const pipelined = keys.map(key => invalidator.publish([key]))
    await Promise.all(pipelined)
    await recorded.synchronised()
    expect(recorded.keys).toEqual(keys)
    expect(recorded.flushes).toEqual([])
  })

  it('a log trimmed meanwhile: everything is flushed, once', async () => {
    const small = createCacheInvalidator({ publisher, log: { maxLength: 10 } })
    const recorded = start({ protocol, retryStrategy: () => 300 })
    await small.publish(['first'])
    await recorded.synchronised()
    await killSubscribers()
    await expect.poll(() => recorded.subscription.status).toBe('degraded')
    for (const key of numbered('k', 30)) await small.publish([key])
    await recorded.synchronised()
    expect(recorded.flushes).toEqual(['trimmed'])
    expect(recorded.subscription.position?.sequence).toBe(31)
    await small.publish(['next'])
    await expect.poll(() => recorded.keys).toEqual(['first', 'next'])
  })

  it('a log that was lost on a running server: everything is flushed, once', async () => {
    const recorded = start({ protocol })
    await invalidator.publish(['a'])
    await recorded.synchronised()
    await publisher.flushall()
    await expect.poll(() => recorded.flushes, { timeout: 5000 }).toEqual(['epoch'])
    await invalidator.publish(['b'])
    await expect.poll(() => recorded.keys).toEqual(['a', 'b'])
    expect(recorded.flushes).toEqual(['epoch'])
  })

  it('a plain PUBLISH of anyone is honoured, and moves no position', async () => {
    const recorded = start({ protocol })
    const place = await invalidator.publish(['a'])
    await recorded.synchronised()
    await publisher.publish(channel, '{"keys":["b","c"]}')
    await expect.poll(() => recorded.keys).toEqual(['a', 'b', 'c'])
    expect(recorded.subscription.position).toEqual(place)
  })

  it('messages that are none go to onError and harm nothing', async () => {
    const recorded = start({ protocol })
    await recorded.synchronised()
    const malformed = [
      'no JSON',
      '',
      '{"keys":"a"}',
      '{"keys":[1]}',
      '{"keys":["a"],"__proto__":{"polluted":true}}',
      '{"keys":["a"],"constructor":{}}',
      '{"keys":["a"],"epoch":"x","sequence":"1"}',
      JSON.stringify({ keys: ['a'.repeat(10_000_000)] }),
    ]
    for (const message of malformed) await publisher.publish(channel, message)
    await publisher.publish(channel, '{"keys":["good"]}')
    await expect.poll(() => recorded.keys, { timeout: 5000 }).toEqual(['good'])
    expect(recorded.codes()).toEqual(malformed.map(() => 'MALFORMED_MESSAGE'))
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(recorded.subscription.status).toBe('synchronised')
  })

  it('a number that the log does not have: its keys count, and it is reported', async () => {
    const recorded = start({ protocol })
    await invalidator.publish(['a'])
    await recorded.synchronised()
    await publisher.publish(channel, '{"keys":["b"],"epoch":"other","sequence":99,"id":"x"}')
    await expect.poll(() => recorded.keys).toEqual(['a', 'b'])
    await recorded.synchronised()
    expect(recorded.codes()).toEqual(['LOG_MISMATCH'])
    await invalidator.publish(['c'])
    await expect.poll(() => recorded.keys).toEqual(['a', 'b', 'c'])
    expect(recorded.flushes).toEqual([])
  })

  it('a subscription that gets lost on a living connection is found and restored', async () => {
    const recorded = start({ protocol })
    await recorded.synchronised()
    await recorded.subscriber.unsubscribe(channel)
    await invalidator.publish(['a'])
    await expect.poll(() => recorded.keys, { timeout: 5000 }).toEqual(['a'])
    await expect.poll(() => publisher.pubsub('NUMSUB', channel)).toEqual([channel, 1])
  })

  it('without the right to read the log keys still arrive live, and later the rest', async () => {
    await publisher.acl(
      'SETUSER',
      'limited',
      'on',
      'nopass',
      '~*',
      '&*',
      '+@all',
      '-eval',
      '-evalsha',
      '-info',
    )
    const recorded = start({ protocol, username: 'limited', password: 'x', enableReadyCheck: false })
    await expect.poll(() => recorded.subscription.status).toBe('degraded')
    await invalidator.publish(['a'])
    await expect.poll(() => recorded.keys).toContain('a')
    expect(recorded.codes()).toEqual(['LOG_UNAVAILABLE'])
    await publisher.acl('SETUSER', 'limited', '+eval', '+evalsha')
    await recorded.synchronised()
    expect(recorded.codes()).toEqual(['LOG_UNAVAILABLE', 'SERVER_UNKNOWN'])
    await invalidator.publish(['b'])
    await expect.poll(() => recorded.keys.at(-1)).toBe('b')
    expect(recorded.flushes).toEqual([])
    await killSubscribers()
    await expect.poll(() => recorded.flushes, { timeout: 5000 }).toEqual(['server'])
  })

  it('unsubscribe ends it, twice is once, and nothing is left behind', async () => {
    const recorded = start({ protocol })
    await recorded.synchronised()
    const { subscription, subscriber } = recorded
    const ending = subscription.unsubscribe()
    expect(subscription.unsubscribe()).toBe(ending)
    await ending
    expect(subscription.status).toBe('degraded')
    expect(await publisher.pubsub('NUMSUB', channel)).toEqual([channel, 0])
    await invalidator.publish(['a'])
    expect(await subscriber.ping()).toBe('PONG')
    expect(recorded.keys).toEqual([])
    expect(subscriber.eventNames()).toEqual([])
    await expect
      .poll(async () =>
        String(await publisher.client('LIST'))
          .split('\n')
          .filter(line => line.includes('name=')),
      )
      .toHaveLength(2)
  })
})

describe('two subscriptions of one client', () => {
  it('both get the keys, and one may end without the other', async () => {
    const first = start({})
    const second = start(first.subscriber)
    await Promise.all([first.synchronised(), second.synchronised()])
    await invalidator.publish(['a'])
    await expect.poll(() => [first.keys, second.keys]).toEqual([['a'], ['a']])
    await first.subscription.unsubscribe()
    expect(await publisher.pubsub('NUMSUB', channel)).toEqual([channel, 1])
    await invalidator.publish(['b'])
    await expect.poll(() => second.keys).toEqual(['a', 'b'])
    expect(first.keys).toEqual(['a'])
  })
})

describe('handlers', () => {
  it('that are slow while the log is replayed still get all, though more comes than can wait', async () => {
    let release = () => {}
    const released = new Promise<void>(resolve => {
      release = resolve
    })
    const seen: string[] = []
    const recorded = start(
      { retryStrategy: () => 200 },
      {
        async onInvalidate(keys) {
          await released
          seen.push(...keys)
        },
      },
    )
    await recorded.synchronised()
    await killSubscribers()
    await expect.poll(() => recorded.subscription.status).toBe('degraded')
    await invalidator.publish(['k0'])
    await expect.poll(() => recorded.subscription.status).toBe('replaying')
    const keys = numbered('k', 10_100)
    const log = { maxLength: 20_000 }
    const { publish } = createCacheInvalidator({ publisher, log })
    for (let from = 0; from < keys.length; from += 1000)
      await Promise.all(keys.slice(from, from + 1000).map(key => publish([key])))
    expect(recorded.subscription.status).toBe('replaying')
    release()
    await recorded.synchronised()
    expect(seen).toEqual(['k0', ...keys])
    expect(recorded.flushes).toEqual([])
  })

  it('are called one after the other; position and status wait for them', async () => {
    let running = 0
    let most = 0
    const recorded = start(
      {},
      {
        async onInvalidate() {
          running += 1
          most = Math.max(most, running)
          await new Promise(resolve => setTimeout(resolve, 5))
          running -= 1
        },
      },
    )
    await recorded.synchronised()
    for (const key of numbered('k', 10)) await invalidator.publish([key])
    await expect.poll(() => recorded.subscription.position?.sequence).toBe(10)
    expect(most).toBe(1)
  })

  it('that keep failing end in a flush; later keys arrive again', async () => {
    let isBroken = true
    const seen: string[] = []
    const recorded = start(
      {},
      {
        onInvalidate(keys) {
          if (isBroken) throw new Error('no')
          seen.push(...keys)
        },
      },
    )
    await recorded.synchronised()
    await invalidator.publish(['a'])
    await expect.poll(() => recorded.flushes).toEqual(['handler'])
    expect(recorded.codes()).toEqual(['HANDLER_FAILED'])
    isBroken = false
    await invalidator.publish(['b'])
    await expect.poll(() => seen).toEqual(['b'])
    expect(recorded.subscription.position?.sequence).toBe(2)
  })

  it('without onFlush its reason goes to onError; without that too it is a warning', async () => {
    const recorded = start({}, { onFlush: undefined as never })
    const silent = new Redis(server.port, '127.0.0.1')
    const quiet = subscribeToCacheInvalidation({ subscriber: silent, onInvalidate: () => {} })
    await recorded.synchronised()
    await expect.poll(() => quiet.status).toBe('synchronised')
    const warned = once(process, 'warning')
    await publisher.flushall()
    await expect
      .poll(() => recorded.errors, { timeout: 5000 })
      .toMatchObject([{ code: 'FLUSH_REQUIRED', reason: 'epoch' }])
    expect(await warned).toMatchObject([{ code: 'FLUSH_REQUIRED', reason: 'epoch' }])
    await quiet.unsubscribe()
    silent.disconnect()
  })

  it('onError may throw or reject: a warning, not the end of the process', async () => {
    const onError = vi.fn(async () => {
      throw new Error('from onError')
    })
    const recorded = start({}, { onError })
    await recorded.synchronised()
    const warned = once(process, 'warning')
    await publisher.publish(channel, 'no JSON')
    expect(await warned).toMatchObject([{ message: 'from onError' }])
    await invalidator.publish(['a'])
    await expect.poll(() => recorded.keys).toEqual(['a'])
  })
})

describe('a bad option is refused at once', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['no client', { subscriber: {} }, /subscriber must be a Redis or Cluster/],
    ['neither handler nor cache', { onInvalidate: undefined }, /onInvalidate or cache must be given/],
    ['a handler that is none', { onFlush: 'x' }, /onFlush must be a function, not x/],
    ['an empty channel', { channel: '' }, /channel must be a non-empty string, not ""/],
    [
      'no interval',
      { heartbeat: { intervalMs: 0 } },
      /heartbeat.intervalMs must be an integer from 1 to \d+, not 0/,
    ],
    ['half a deadline', { heartbeat: { timeoutMs: 0.5 } }, /heartbeat.timeoutMs must be/],
    ['no deadline', { handlerTimeoutMs: Number.NaN }, /handlerTimeoutMs must be/],
  ])('%s', (_, option, message) => {
    const subscriber = new Redis({ lazyConnect: true })
    expect(() => subscribeToCacheInvalidation({ subscriber, onInvalidate: () => {}, ...option })).toThrow(
      message,
    )
    subscriber.disconnect()
  })

  it('a client that has ended', async () => {
    const subscriber = new Redis({ lazyConnect: true })
    subscriber.disconnect()
    await once(subscriber, 'end')
    expect(() => subscribeToCacheInvalidation({ subscriber, onInvalidate: () => {} })).toThrow(/has ended/)
  })
})
