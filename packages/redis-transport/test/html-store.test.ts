import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  createHtmlStore,
  createRedisClient,
  type HtmlStoreOptions,
  type PageKey,
  pageKey,
} from '../src/index.js'

let server: RedisServer
let redis: Redis
const key = pageKey({ route: '/a' })
const other = pageKey({ route: '/b' })
const open = (options: Omit<HtmlStoreOptions, 'redis'> = {}) => createHtmlStore({ redis, ...options })

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

describe('a page', () => {
  it('comes back as text and as bytes, whichever way it was stored', async () => {
    const store = open()
    const html = '<p>ü€😀\0\r\n</p>'
    expect([await store.get(key), await store.getBuffer(key)]).toEqual([null, null])
    for (const given of [html, Buffer.from(html), new Uint8Array(Buffer.from(`xx${html}`)).subarray(2)]) {
      expect(await store.set(key, given)).toBe(true)
      expect(await store.get(key)).toBe(html)
      expect(await store.getBuffer(key)).toEqual(Buffer.from(html))
    }
    expect(await store.get(other)).toBe(null)
    await store.set(other, '')
    expect(await store.get(other)).toBe('')
    expect(store.stats()).toEqual({ hits: 7, misses: 3, stores: 4, fenced: 0, errors: 0 })
  })

  it('is what it was when it was given, whatever becomes of the memory', async () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(4)).fill(97)
    const stored = open().set(key, bytes)
    bytes.fill(98)
    await stored
    expect(await open().get(key)).toBe('aaaa')
  })

  it('I4: is forgotten after 300 s, or after the ttl of the store or of the page', async () => {
    const ttl = () => redis.ttl(`html:{${key}}`)
    await open().set(key, 'x')
    expect(await ttl()).toBe(300)
    const store = open({ ttl: 31_536_000 })
    await store.set(key, 'x')
    expect(await ttl()).toBe(31_536_000)
    await store.set(key, 'x', { fence: await store.fence(key) })
    expect(await ttl()).toBe(31_536_000)
    await store.set(key, 'x', { ttl: 1 })
    expect(await redis.pttl(`html:{${key}}`)).toBeLessThanOrEqual(1000)
    await expect.poll(() => store.get(key), { timeout: 5000 }).toBe(null)
    const keys = await redis.keys('*')
    expect(keys).toEqual([`html:{${key}}:fence`])
    expect(await redis.ttl(keys[0] as string)).toBeGreaterThan(290)
  })

  it('I3: larger than the cap in bytes is refused, and nothing is stored', async () => {
    const store = open({ maxBytes: 10 })
    for (const html of ['x'.repeat(11), 'é'.repeat(6), new Uint8Array(11)])
      await expect(store.set(key, html)).rejects.toMatchObject({
        name: 'RedisTransportError',
        code: 'PAGE_TOO_LARGE',
        message: expect.stringMatching(/of 1[12] bytes: the cap is 10$/),
      })
    expect(await redis.keys('*')).toEqual([])
    expect(await store.set(key, 'é'.repeat(5))).toBe(true)
    await expect(open().set(key, 'x'.repeat(4 * 2 ** 20 + 1))).rejects.toMatchObject({
      code: 'PAGE_TOO_LARGE',
    })
    expect(await open().set(key, 'x'.repeat(4 * 2 ** 20))).toBe(true)
  })
})

describe('a fence', () => {
  it('lets a page be stored as long as nothing was deleted', async () => {
    const store = open()
    const fence = await store.fence(key)
    expect(await store.fence(key)).toBe(fence)
    expect(await open().fence(other)).not.toBe(fence)
    expect(await store.set(key, 'one', { fence })).toBe(true)
    expect(await store.set(key, 'two', { fence })).toBe(true)
    expect(await store.get(key)).toBe('two')
  })

  it('I2: keeps a page out that was deleted while it was loaded', async () => {
    const store = open()
    const fence = await store.fence(key)
    await store.delete(key)
    expect(await store.set(key, 'old', { fence })).toBe(false)
    const later = await open().fence(key)
    expect(later).not.toBe(fence)
    expect(await store.set(key, 'old', { fence })).toBe(false)
    expect(await store.get(key)).toBe(null)
    expect(await store.set(key, 'new', { fence: later })).toBe(true)
    expect(store.stats()).toMatchObject({ stores: 1, fenced: 2 })
  })

  it('I2: of another page, or of a Redis that lost everything, is none', async () => {
    const store = open()
    const fence = await store.fence(key)
    await store.fence(other)
    expect(await store.set(other, 'x', { fence })).toBe(false)
    await redis.flushall()
    expect(await store.set(key, 'x', { fence })).toBe(false)
    expect(await redis.keys('*')).toEqual([])
  })

  it('I2: is removed together with its page, also if only one of them is there', async () => {
    const store = open()
    await store.set(key, 'x')
    await store.delete(key)
    await store.fence(key)
    await store.delete(key)
    await store.set(key, 'x', { fence: await store.fence(key) })
    await store.delete(key)
    await store.delete(key)
    expect(await redis.keys('*')).toEqual([])
  })

  it('I4: has a time to live that each call renews', async () => {
    const store = open({ ttl: 1 })
    const fence = await store.fence(key)
    await redis.expire(`html:{${key}}:fence`, 5)
    expect(await store.fence(key)).toBe(fence)
    expect(await redis.ttl(`html:{${key}}:fence`)).toBe(300)
  })

  it('works after Redis has forgotten the scripts', async () => {
    const store = open()
    await redis.script('FLUSH')
    const fence = await store.fence(key)
    await redis.script('FLUSH')
    expect(await store.set(key, 'x', { fence })).toBe(true)
    await store.fence(key)
    // And they go out by their hash once Redis knows them.
    const before = await redis.info('commandstats')
    await store.fence(key)
    const after = await redis.info('commandstats')
    const calls = (info: string, name: string) => Number(info.match(`cmdstat_${name}:calls=(\\d+)`)?.[1] ?? 0)
    expect(calls(after, 'evalsha') - calls(before, 'evalsha')).toBe(1)
    expect(calls(after, 'eval')).toBe(calls(before, 'eval'))
  })
})

describe('clear', () => {
  it('removes all pages and fences of the store, and nothing else', async () => {
    const store = open({ prefix: 'a*[b]?\\:' })
    const fences: [PageKey, string][] = []
    for (let i = 0; i < 3000; i += 1) {
      const page = pageKey({ route: `/${i}` })
      if (i % 2) fences.push([page, await store.fence(page)])
      await store.set(page, 'x')
    }
    const kept = ['a*[b]?\\:', 'aXb\\:{x}', 'xa*[b]?\\:{y}', 'html:{z}', 'a*[b]?\\:plain']
    for (const name of kept) await redis.set(name, 'x')
    await open().set(key, 'mine')
    await store.clear()
    expect((await redis.keys('*')).sort()).toEqual([...kept, `html:{${key}}`].sort())
    for (const [page, fence] of fences.slice(0, 10))
      expect(await store.set(page, 'old', { fence })).toBe(false)
  })

  it('I2: leaves nothing of loads that began before it, however they meet', async () => {
    const store = open()
    for (let round = 0; round < 20; round += 1) {
      const pages = Array.from({ length: 100 }, (_, i) => pageKey({ route: `/${round}/${i}` }))
      const fences = await Promise.all(pages.map(page => store.fence(page)))
      const cleared = store.clear()
      await Promise.all(pages.map((page, i) => store.set(page, 'old', { fence: fences[i] as string })))
      await cleared
      expect(await redis.keys('*')).toEqual([])
    }
  })

  it('works with a client that puts a prefix of its own before all keys', async () => {
    const prefixed = createRedisClient({ host: '127.0.0.1', port: server.port, keyPrefix: 'app[1]:' })
    const store = createHtmlStore({ redis: prefixed })
    await open().set(key, 'other')
    const fence = await store.fence(key)
    expect(await store.set(key, 'x', { fence })).toBe(true)
    expect((await redis.keys('*')).sort()).toEqual(
      [`app[1]:html:{${key}}`, `app[1]:html:{${key}}:fence`, `html:{${key}}`].sort(),
    )
    await store.clear()
    expect(await redis.keys('*')).toEqual([`html:{${key}}`])
    prefixed.disconnect()
  })
})

describe('a mistake', () => {
  it.each([
    ['nothing in it', ''],
    ['a path', '/a'],
    ['1 MB', 'x'.repeat(2 ** 20)],
    ['bytes', Buffer.alloc(43, 'A')],
    ['a line break', `${key}\n`],
    ['a NUL', `${key.slice(1)}\0`],
    ['__proto__', '__proto__'],
    ['no string', undefined],
  ])('in the key is a TypeError of every call: %s', async (_, given) => {
    const store = open()
    const bad = given as PageKey
    for (const call of [
      () => store.get(bad),
      () => store.getBuffer(bad),
      () => store.set(bad, 'x'),
      () => store.fence(bad),
      () => store.delete(bad),
    ])
      await expect(call()).rejects.toThrow(TypeError)
    expect(await redis.dbsize()).toBe(0)
    expect(store.stats()).toEqual({ hits: 0, misses: 0, stores: 0, fenced: 0, errors: 0 })
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53, 31_536_001, '60', null])('in the ttl: %s', async ttl => {
    expect(() => open({ ttl: ttl as number })).toThrow(RangeError)
    await expect(open().set(key, 'x', { ttl: ttl === null ? 0 : (ttl as number) })).rejects.toThrow(
      RangeError,
    )
    expect(await redis.dbsize()).toBe(0)
  })

  it('in anything else', async () => {
    for (const maxBytes of [0, -1, 1.5, Number.NaN, 2 ** 53])
      expect(() => open({ maxBytes })).toThrow(/^maxBytes must be a positive integer, not/)
    for (const prefix of ['', 'a{b', 'a}b', 'a\nb', 'x'.repeat(65), 5, null])
      expect(() => open({ prefix: prefix as string })).toThrow(/^prefix must be/)
    expect(() => createHtmlStore({ redis: {} as Redis })).toThrow(/^redis must be an ioredis client/)
    for (const html of [undefined, null, 5, {}, new ArrayBuffer(2), new Uint16Array(2)])
      await expect(open().set(key, html as string)).rejects.toThrow(/^html must be a string or a Uint8Array/)
    for (const fence of [undefined, null, '', 'x', 5])
      await expect(open().set(key, 'x', { fence: fence as string })).rejects.toThrow(/^fence must be what/)
    expect(await redis.dbsize()).toBe(0)
  })
})

it('without Redis every call fails, and is counted', async () => {
  const own = await startRedis()
  onTestFinished(() => own.stop())
  const client = createRedisClient({ host: '127.0.0.1', port: own.port, maxRetriesPerRequest: 0 })
  const store = createHtmlStore({ redis: client })
  const fence = await store.fence(key)
  await own.stop()
  const calls = [
    store.get(key),
    store.getBuffer(key),
    store.set(key, 'x'),
    store.set(key, 'x', { fence }),
    store.fence(key),
    store.delete(key),
    store.clear(),
  ]
  for (const { status, reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[])
    expect({ status, reason }).toMatchObject({
      status: 'rejected',
      reason: { name: 'RedisTransportError', code: 'REDIS_UNAVAILABLE' },
    })
  expect(store.stats()).toEqual({ hits: 0, misses: 0, stores: 0, fenced: 0, errors: 7 })
  client.disconnect()
})
