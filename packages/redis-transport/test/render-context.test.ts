import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  cleanupRenderContext,
  createRedisClient,
  createRequestId,
  getRenderContext,
  storeRenderContext,
  takeRenderContext,
} from '../src/index.js'

let server: RedisServer
let redis: Redis
const context = { route: '/a', props: { list: [1, 'ü', null], deep: { x: true } } }

beforeAll(async () => {
  server = await startRedis()
  redis = createRedisClient(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

describe('a stored context', () => {
  it('is read as often as wanted', async () => {
    const id = createRequestId()
    await storeRenderContext(redis, id, context)
    expect(await getRenderContext(redis, id)).toEqual(context)
    expect(await getRenderContext<typeof context>(redis, id)).toEqual(context)
    expect(JSON.parse((await redis.get(`render:${id}`)) as string)).toEqual(context)
  })

  it('is forgotten by Redis after 60 s, or after the ttl', async () => {
    const id = createRequestId()
    await storeRenderContext(redis, id, context)
    expect(await redis.ttl(`render:${id}`)).toBe(60)
    await storeRenderContext(redis, id, context, 31_536_000)
    expect(await redis.ttl(`render:${id}`)).toBe(31_536_000)
    await storeRenderContext(redis, id, context, 1)
    expect(await redis.pttl(`render:${id}`)).toBeLessThanOrEqual(1000)
    await expect
      .poll(() => getRenderContext(redis, id).catch(error => error.code), { timeout: 5000 })
      .toBe('CONTEXT_MISSING')
  })

  it('is taken by exactly one of many', async () => {
    const id = createRequestId()
    await storeRenderContext(redis, id, context)
    const other = createRedisClient(server.url)
    const taken = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => takeRenderContext(i % 2 ? redis : other, id)),
    )
    other.disconnect()
    const [winner, ...more] = taken.filter(({ status }) => status === 'fulfilled')
    expect(winner).toMatchObject({ value: context })
    expect(more).toEqual([])
    const loser = taken.find(({ status }) => status === 'rejected') as PromiseRejectedResult
    expect(loser.reason).toMatchObject({ name: 'RedisTransportError', code: 'CONTEXT_MISSING' })
    expect(await redis.exists(`render:${id}`)).toBe(0)
  })

  it('is gone after the clean-up, which says whether there was one', async () => {
    const id = createRequestId()
    await storeRenderContext(redis, id, context)
    expect(await cleanupRenderContext(redis, id)).toBe(true)
    expect(await cleanupRenderContext(redis, id)).toBe(false)
    await expect(getRenderContext(redis, id)).rejects.toMatchObject({ code: 'CONTEXT_MISSING' })
    await expect(takeRenderContext(redis, id)).rejects.toMatchObject({ code: 'CONTEXT_MISSING' })
  })
})

describe('what is refused leaves nothing in Redis', () => {
  it.each([0, -1, 1.5, Number.NaN, 2 ** 53, 31_536_001, '60', null])('a ttl of %s', async ttl => {
    const id = createRequestId()
    const stored = storeRenderContext(redis, id, context, ttl as number)
    await expect(stored).rejects.toThrow(RangeError)
    await expect(stored).rejects.toThrow(`not ${ttl}`)
    expect(await redis.exists(`render:${id}`)).toBe(0)
  })

  it('a context that JSON cannot hold', async () => {
    const id = createRequestId()
    const stored = storeRenderContext(redis, id, { props: { onClick: () => {} } })
    await expect(stored).rejects.toThrow(TypeError)
    await expect(stored).rejects.toThrow(/a function at context\.props\.onClick/)
    expect(await redis.exists(`render:${id}`)).toBe(0)
  })

  it('a context above the cap of 4 MiB, or above another cap', async () => {
    const id = createRequestId()
    const large = 'x'.repeat(4 * 1024 * 1024 - 1)
    await expect(storeRenderContext(redis, id, large)).rejects.toMatchObject({ code: 'CONTEXT_TOO_LARGE' })
    await expect(storeRenderContext(redis, id, context, 60, { maxBytes: 10 })).rejects.toMatchObject({
      code: 'CONTEXT_TOO_LARGE',
    })
    expect(await redis.exists(`render:${id}`)).toBe(0)
    await storeRenderContext(redis, id, large, 60, { maxBytes: 5 * 1024 * 1024 })
    await expect(getRenderContext(redis, id)).rejects.toMatchObject({ code: 'CONTEXT_TOO_LARGE' })
    expect(await takeRenderContext(redis, id, { maxBytes: 5 * 1024 * 1024 })).toBe(large)
    await expect(getRenderContext(redis, id, { maxBytes: 0 })).rejects.toThrow(RangeError)
  })

  it('a request id that is none', async () => {
    for (const id of ['', 'a\nb', 'x'.repeat(1000), 5, undefined] as string[]) {
      await expect(storeRenderContext(redis, id, context)).rejects.toThrow(TypeError)
      await expect(getRenderContext(redis, id)).rejects.toThrow(TypeError)
      await expect(takeRenderContext(redis, id)).rejects.toThrow(TypeError)
      await expect(cleanupRenderContext(redis, id)).rejects.toThrow(TypeError)
    }
    expect(await redis.keys('render:[^0-9]*')).toEqual([])
  })

  it('something that is no client', async () => {
    await expect(storeRenderContext({} as Redis, 'a', context)).rejects.toThrow(
      /redis must be an ioredis client/,
    )
    await expect(getRenderContext(undefined as never, 'a')).rejects.toThrow(TypeError)
  })
})

describe('an error of Redis', () => {
  it('that is an answer has the answer as its cause', async () => {
    await redis.lpush('render:list', 'x')
    await expect(getRenderContext(redis, 'list')).rejects.toMatchObject({
      code: 'REDIS_REFUSED',
      cause: { message: expect.stringMatching(/^WRONGTYPE/) },
    })
    await redis.set('render:broken', '{"a":')
    await expect(getRenderContext(redis, 'broken')).rejects.toMatchObject({
      code: 'CONTEXT_CORRUPT',
      cause: expect.any(SyntaxError),
    })
  })

  it('that is none: every call fails with the lost connection as its cause', async () => {
    const own = await startRedis()
    onTestFinished(() => own.stop())
    const client = createRedisClient({ host: '127.0.0.1', port: own.port, maxRetriesPerRequest: 1 })
    await client.ping()
    await own.stop()
    for (const call of [
      storeRenderContext(client, 'a', context),
      getRenderContext(client, 'a'),
      takeRenderContext(client, 'a'),
      cleanupRenderContext(client, 'a'),
    ])
      await expect(call).rejects.toMatchObject({
        name: 'RedisTransportError',
        code: 'REDIS_UNAVAILABLE',
        cause: expect.any(Error),
      })
    client.disconnect()
  })
})
