import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  createRedisClient,
  createRedisTransport,
  type RedisTransportOptions,
  type RenderEnvelope,
} from '../src/index.js'

let server: RedisServer
let redis: Redis
const context = { route: '/a', props: { list: [1, 'ü', null], deep: { x: true } } }
// What is slow here is the machine: how slow Redis may be is a matter of outage.test.ts.
const breaker = { timeoutMs: 10_000 }
const open = (options: Omit<RedisTransportOptions, 'redis'> = {}) =>
  createRedisTransport({ redis, breaker, ...options })
/** Takes a context to the other side as a worker would get it. */
const posted = (envelope: RenderEnvelope): RenderEnvelope => structuredClone(envelope)

beforeAll(async () => {
  server = await startRedis()
  redis = createRedisClient(server.url)
})
beforeEach(async () => {
  await redis.flushall()
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

describe('a context', () => {
  it('I8: goes through Redis, and is deleted there when the worker takes it', async () => {
    const [sender, worker] = [open(), open()]
    const envelope = await sender.send(context)
    expect(envelope).toEqual({ requestId: expect.stringMatching(/^[0-9A-Z]{26}$/) })
    const key = `render:${envelope.requestId}`
    expect(await redis.keys('*')).toEqual([key])
    expect(await worker.receive<typeof context>(posted(envelope))).toEqual(context)
    expect(await redis.keys('*')).toEqual([])
    expect(sender.stats()).toMatchObject({ sent: { redis: 1 }, received: { redis: 0 } })
    expect(worker.stats()).toMatchObject({
      sent: { redis: 0 },
      received: { redis: 1, payload: 0 },
      missing: 0,
    })
  })

  it('I4: is forgotten after 60 s, or after the ttl', async () => {
    const { requestId } = await open().send(context)
    expect(await redis.ttl(`render:${requestId}`)).toBe(60)
    const short = await open({ ttl: 1 }).send(context)
    expect(await redis.pttl(`render:${short.requestId}`)).toBeLessThanOrEqual(1000)
    await expect.poll(() => redis.exists(`render:${short.requestId}`), { timeout: 5000 }).toBe(0)
    await expect(open().receive(short)).rejects.toMatchObject({ code: 'CONTEXT_MISSING' })
  })

  it('I9: is the same for the worker, whichever way it came', async () => {
    const transport = open()
    const value = fc
      .jsonValue({ stringUnit: 'binary' })
      .filter(given => !JSON.stringify(given).includes('"__proto__"'))
    const withDates = fc.record({ value, at: fc.date({ noInvalidDate: true }), nested: fc.array(value) })
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, withDates), async given => {
        const byRedis = await transport.send(given)
        const byPayload = transport.payload(given)
        expect([Object.keys(byRedis), Object.keys(byPayload)]).toEqual([['requestId'], ['payload']])
        expect(await transport.receive(posted(byRedis))).toStrictEqual(
          await transport.receive(posted(byPayload)),
        )
      }),
      { numRuns: 100 },
    )
    class Page {
      route = '/a'
      get title() {
        return 'no property of its own'
      }
    }
    for (const given of [new Page(), { at: new Date(0) }, -0, Object.assign(Object.create(null), { a: 1 })]) {
      const byRedis = await transport.receive(posted(await transport.send(given)))
      expect(byRedis).toStrictEqual(await transport.receive(posted(transport.payload(given))))
    }
  })

  it('larger than maxBytes goes as payload', async () => {
    const transport = open({ maxBytes: 100 })
    const json = (length: number) => 'x'.repeat(length - 2)
    expect(await transport.send(json(100))).toHaveProperty('requestId')
    const envelope = await transport.send(json(101))
    expect(Object.keys(envelope)).toEqual(['payload'])
    expect(await transport.receive(posted(envelope))).toBe(json(101))
    expect(Object.keys(await transport.send('é'.repeat(50)))).toEqual(['payload'])
    expect(Object.keys(await open().send('x'.repeat(2 ** 22)))).toEqual(['payload'])
    expect(transport.stats().sent).toEqual({
      redis: 1,
      payload: { out: 0, slow: 0, open: 0, large: 2, asked: 0 },
    })
    const large = 'x'.repeat(2 ** 24)
    await expect(transport.send(large)).rejects.toMatchObject({ code: 'CONTEXT_TOO_LARGE' })
    expect(Object.keys(await open({ maxBytes: 2 ** 25 }).send(large))).toEqual(['requestId'])
    let node: unknown = 'x'
    for (let level = 0; level < 100; level += 1) node = [node, node]
    await expect(transport.send(node)).rejects.toMatchObject({ code: 'CONTEXT_TOO_LARGE' })
  })

  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  it.each([
    ['a cycle', cycle, /a cycle at context\.self$/],
    ['a BigInt', { n: 1n }, /a bigint at context\.n$/],
    ['a function', { props: { onClick() {} } }, /a function at context\.props\.onClick$/],
    ['undefined', undefined, /undefined at context$/],
    ['a Map', { m: new Map() }, /an instance of Map at context\.m$/],
    ['__proto__', JSON.parse('{"__proto__":1}'), /named __proto__ at context\.__proto__$/],
  ])('that holds %s is a TypeError both ways, and nothing is stored', async (_, given, message) => {
    const transport = open()
    await expect(transport.send(given)).rejects.toThrow(TypeError)
    await expect(transport.send(given)).rejects.toThrow(message)
    expect(() => transport.payload(given)).toThrow(message)
    await expect(open({ maxBytes: 1 }).send(given)).rejects.toThrow(message)
    expect(await redis.dbsize()).toBe(0)
    expect(transport.stats().sent.payload.asked).toBe(0)
  })
})

describe('receive', () => {
  it('I8: gives a context to one of those that ask, and tells the others', async () => {
    const envelope = await open().send(context)
    const workers = [open(), open(), open()]
    const results = await Promise.allSettled(workers.map(worker => worker.receive(envelope)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ name: 'RedisTransportError', code: 'CONTEXT_MISSING' })
    expect(workers.map(worker => worker.stats().missing).sort()).toEqual([0, 1, 1])
  })

  it.each([
    undefined,
    null,
    'x',
    [],
    {},
    { requestId: '' },
    { requestId: 5 },
    { requestId: 'a\nb' },
    { requestId: 'x'.repeat(257) },
    { payload: { a: 1 } },
    { payload: '{"a":' },
    { payload: '' },
    { payload: '{"__proto__":{}}' },
    { payload: '{"\\u005f_proto__":{}}' },
    { requestId: 'a', payload: '1' },
    { requestId: 'a', other: 1 },
    { other: 1 },
    Object.create({ requestId: 'a' }),
  ])('refuses what is no envelope: case %$', async given => {
    const transport = open()
    await expect(transport.receive(given as RenderEnvelope)).rejects.toThrow(TypeError)
    await expect(transport.discard(given as RenderEnvelope)).resolves.toBeUndefined()
    expect(transport.stats().received).toEqual({ redis: 0, payload: 0 })
  })

  it('says what is wrong with what Redis holds', async () => {
    await redis.lpush('render:list', 'x')
    await expect(open().receive({ requestId: 'list' })).rejects.toMatchObject({
      code: 'REDIS_REFUSED',
      cause: { message: expect.stringMatching(/^WRONGTYPE/) },
    })
    await redis.set('render:broken', '{"a":')
    await expect(open().receive({ requestId: 'broken' })).rejects.toMatchObject({ code: 'CONTEXT_CORRUPT' })
    const envelope = await open().send('x'.repeat(100))
    await expect(open({ maxBytes: 50 }).receive(envelope)).rejects.toMatchObject({
      code: 'CONTEXT_TOO_LARGE',
    })
  })
})

it('discard deletes what no worker took', async () => {
  const transport = open()
  const envelope = await transport.send(context)
  await transport.discard(posted(envelope))
  await transport.discard(envelope)
  await transport.discard(transport.payload(context))
  expect(await redis.dbsize()).toBe(0)
})

describe('a mistake in the options', () => {
  it.each([0, -1, 1.5, Number.NaN, 2 ** 53, '60', null])('%s', value => {
    const number = value as number
    expect(() => open({ ttl: number })).toThrow(RangeError)
    expect(() => open({ maxBytes: number })).toThrow(`maxBytes must be a positive integer, not ${value}`)
    for (const name of ['timeoutMs', 'failures', 'resetMs'])
      expect(() => open({ breaker: { [name]: number } })).toThrow(
        new RegExp(`^breaker\\.${name} must be a positive integer.*, not ${value}$`),
      )
  })

  it('a timer that no clock has, a year and a second, no client', () => {
    expect(() => open({ breaker: { timeoutMs: 2 ** 31 } })).toThrow(/timeoutMs must be .* up to 2147483647/)
    expect(() => open({ ttl: 31_536_001 })).toThrow(RangeError)
    expect(() => createRedisTransport({ redis: {} as Redis })).toThrow(/^redis must be an ioredis client/)
  })
})
