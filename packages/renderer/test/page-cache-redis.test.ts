import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSSRHandler, type PageCacheOptions, type PageCaching } from '@scratchyjs/renderer'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

const worker = new URL('./fixtures/cached.mjs', import.meta.url)
let redis: RedisServer
let client: Redis
let folder: string
let source: string
const apps: FastifyInstance[] = []
const children: ChildProcess[] = []

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.port, '127.0.0.1')
  client.on('error', () => {})
  folder = await mkdtemp(join(tmpdir(), 'page-cache-'))
  source = join(folder, 'source')
})

beforeEach(async () => {
  await client.flushall()
  await writeFile(source, '1')
})

afterEach(async () => {
  redis.signal('SIGCONT') // after a test that failed while it was stopped
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(apps.splice(0).map(app => app.close()))
})

afterAll(async () => {
  client.disconnect()
  await redis.stop()
  await rm(folder, { recursive: true })
})

/** A server, in step with Redis. */
async function serve(
  caching: PageCaching = { tags: ['t'] },
  cache: PageCacheOptions = {},
  routes: (app: FastifyInstance) => void = () => {},
): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(rendererPlugin, {
    worker,
    maxThreads: 1,
    // A busy machine is no Redis that is out.
    cache: { redis: redis.url, maxStaleMs: 0, redisTimeoutMs: 3000, ...cache },
  })
  app.get<{ Querystring: Record<string, string> }>('/page', (request, reply) => {
    const props = { source, ...JSON.parse(request.query.props ?? '{}') }
    return reply.render({ route: '/page', props }, { cache: caching })
  })
  app.get('/probe/:n', createSSRHandler({ cache: {} }))
  routes(app)
  await app.ready()
  apps.push(app)
  return app
}

/** Until a page of this server gets to Redis: then it is in step. */
async function inStep(...servers: FastifyInstance[]): Promise<void> {
  for (const app of servers) {
    let n = 0
    await vi.waitFor(
      async () => {
        const before = await pages()
        await app.inject(`/probe/${process.hrtime.bigint()}-${n++}`)
        await delay(40)
        expect(await pages()).toBeGreaterThan(before)
      },
      { timeout: 15_000, interval: 20 },
    )
  }
}

const ask = (app: FastifyInstance, props: object = {}, headers: Record<string, string> = {}) =>
  app.inject({ url: `/page?props=${encodeURIComponent(JSON.stringify(props))}`, headers })
const versionOf = (response: { body: string }) => JSON.parse(response.body).version
const pages = async () => (await client.keys('html:{*}')).length

async function two(caching?: PageCaching, cache?: PageCacheOptions) {
  const [a, b] = await Promise.all([serve(caching, cache), serve(caching, cache)])
  await inStep(a, b)
  const began = { a: a.renderer.stats().renders, b: b.renderer.stats().renders }
  const renders = () => ({
    a: a.renderer.stats().renders - began.a,
    b: b.renderer.stats().renders - began.b,
  })
  return { a, b, renders }
}

async function child(): Promise<{ ask(path: string): Promise<Response> }> {
  const file = fileURLToPath(new URL('./fixtures/cache-server.mjs', import.meta.url))
  const process_ = spawn(process.execPath, [file, `${redis.port}`, source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(process_)
  const [line] = (await once(process_.stdout, 'data')) as [Buffer]
  const origin = `${line}`.trim()
  return { ask: path => fetch(origin + path) }
}

describe('a page in Redis', () => {
  it('is taken by other servers, head and bytes, with its age', async () => {
    const { a, b, renders } = await two({ tags: ['t'], ttl: 60 })
    const props = { size: 3000, headers: { 'x-set': ['1', '2'] } }
    const first = await ask(a, props)
    await vi.waitFor(async () => expect(await client.keys('html:*:lock')).toEqual([]))
    const second = await ask(b, props)
    expect(second.rawPayload).toEqual(first.rawPayload)
    expect(second.headers).toMatchObject({ etag: first.headers.etag, 'x-set': ['1', '2'], age: '0' })
    expect((await ask(b, props, { 'if-none-match': String(first.headers.etag) })).statusCode).toBe(304)
    expect(renders()).toEqual({ a: 1, b: 0 })
    for (const key of await client.keys('*')) expect([key, (await client.ttl(key)) > 0]).toEqual([key, true])
  })

  it('I17: is rendered by one server when many ask both at once', async () => {
    const { a, b, renders } = await two()
    const all = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(i % 2 ? a : b, { ms: 200 })))
    expect(new Set(all.map(({ body }) => body)).size).toBe(1)
    expect(renders().a + renders().b).toBe(1)
  })

  it('that nobody may keep makes servers wait for each other once, and not each time', async () => {
    const { a, b, renders } = await two()
    const props = { ms: 300, status: 404 }
    await Promise.all([ask(a, props), ask(b, props)])
    const began = performance.now()
    await Promise.all([ask(a, props), ask(b, props)])
    expect(performance.now() - began).toBeLessThan(550)
    expect(renders()).toEqual({ a: 2, b: 2 })
    for (const key of await client.keys('html:{*}')) expect(await client.get(key)).not.toContain('/page')
  })

  it('is waited for no longer than a second when its server has died', async () => {
    const dying = await child()
    const a = await serve()
    await inStep(a)
    await vi.waitFor(async () => {
      await dying.ask(`/page?props=${encodeURIComponent(JSON.stringify({ size: Math.random() * 1e4 }))}`)
      expect(await pages()).toBeGreaterThan(1)
    })
    dying.ask('/page?props={"ms":5000}').catch(() => {})
    await vi.waitFor(async () => expect(await client.keys('html:*:lock')).toHaveLength(1))
    children[0]?.kill('SIGKILL')
    const began = performance.now()
    await ask(a, { ms: 5 }) // another page
    expect(performance.now() - began).toBeLessThan(300)
    const answer = await a.inject('/page?props={"ms":5000}&x=1')
    expect(answer.statusCode).toBe(200)
    expect(performance.now() - began).toBeLessThan(5000 + 1800)
  })

  it('is refreshed by one server, while all send the old one', async () => {
    const { a, b, renders } = await two({ ttl: 0.5, staleWhileRevalidate: 60 })
    await ask(a, { ms: 150 })
    await delay(50)
    await ask(b, { ms: 150 })
    await writeFile(source, '2')
    await delay(500)
    const stale = await Promise.all([ask(a, { ms: 150 }), ask(b, { ms: 150 }), ask(a, { ms: 150 })])
    expect(stale.map(versionOf)).toEqual(['1', '1', '1'])
    await delay(300)
    expect([await ask(a, { ms: 150 }), await ask(b, { ms: 150 })].map(versionOf)).toEqual(['2', '2'])
    expect(renders().a + renders().b).toBe(2)
  })

  it('of another build is not found', async () => {
    const a = await serve({}, { build: '1' })
    const b = await serve({}, { build: '2' })
    await inStep(a, b)
    await ask(a)
    await delay(50)
    const before = b.renderer.stats().renders
    await ask(b)
    expect(b.renderer.stats().renders).toBe(before + 1)
  })
})

describe('an invalidation', () => {
  it('I16: is obeyed by every server, in other processes too', async () => {
    const { a, b } = await two()
    const c = await child()
    const json = async (path: string) => JSON.parse(await (await c.ask(path)).text())
    const askC = async () => (await json('/page')).version
    await ask(a)
    await ask(b)
    await vi.waitFor(async () => {
      await askC()
      expect((await json('/stats')).cache.hits).toBeGreaterThan(2)
    })
    await writeFile(source, '2')
    await a.renderer.invalidate({ tags: ['t'] })
    expect(versionOf(await ask(a))).toBe('2')
    await vi.waitFor(async () => expect([versionOf(await ask(b)), await askC()]).toEqual(['2', '2']))
    await writeFile(source, '3')
    await c.ask('/invalidate')
    await vi.waitFor(async () =>
      expect([versionOf(await ask(a)), versionOf(await ask(b)), await askC()]).toEqual(['3', '3', '3']),
    )
    await writeFile(source, '4')
    await b.renderer.invalidate({ keys: ['/page'] })
    await vi.waitFor(async () =>
      expect([versionOf(await ask(a)), versionOf(await ask(b)), await askC()]).toEqual(['4', '4', '4']),
    )
  })

  it('I16: keeps late renders out of both layers, on every server', async () => {
    const { a, b } = await two()
    const early = ask(a, { ms: 300 })
    await delay(150)
    await writeFile(source, '2')
    await b.renderer.invalidate({ tags: ['t'] })
    expect(versionOf(await early)).toBe('1')
    await delay(50)
    for (const key of await client.keys('html:{*}')) {
      expect(await client.get(key)).not.toContain('"version":"1"')
    }
    expect(versionOf(await ask(b, { ms: 300 }))).toBe('2')
    expect(versionOf(await ask(a, { ms: 300 }))).toBe('2')
  })

  it('is never undone, under load on both servers', async () => {
    const { a, b } = await two()
    for (let version = 2; version < 40; version++) {
      const load = Array.from({ length: 6 }, (_, i) => ask(i % 2 ? a : b, { ms: i % 3 }))
      await delay(Math.random() * 6)
      await writeFile(source, `${version}`)
      const [one, other] = version % 2 ? [a, b] : [b, a]
      await one.renderer.invalidate({ tags: ['t'] })
      for (const ms of [0, 1, 2]) expect(versionOf(await ask(one, { ms }))).toBe(`${version}`)
      await Promise.all(load)
      // The message is on its way there.
      await vi.waitFor(async () => expect(versionOf(await ask(other, { ms: 0 }))).toBe(`${version}`), {
        interval: 2,
      })
      await delay(5)
      for (const ms of [0, 1, 2]) {
        for (const app of [a, b]) expect(versionOf(await ask(app, { ms }))).toBe(`${version}`)
      }
    }
  })

  it('of many names is not undone by a server that obeys before it is over', async () => {
    const { a, b } = await two()
    await ask(a)
    await ask(b)
    await writeFile(source, '2')
    let isOver = false
    const load = [a, b].map(async app => {
      while (!isOver) {
        await ask(app)
        await delay(1)
      }
    })
    const tags = Array.from({ length: 3000 }, (_, n) => `tag ${n}`)
    await a.renderer.invalidate({ tags: [...tags, 't'] })
    await delay(100)
    isOver = true
    await Promise.all(load)
    expect([versionOf(await ask(a)), versionOf(await ask(b))]).toEqual(['2', '2'])
  })

  it('I16: that Redis forgets, being started from an older snapshot, is not undone', async () => {
    const dir = await mkdtemp(join(folder, 'redis-'))
    let other = await startRedis({ args: ['--dir', dir] })
    onTestFinished(() => other.stop())
    const { port } = other
    const cache = { redis: other.url }
    const [a, b] = await Promise.all([serve({ tags: ['t'] }, cache), serve({ tags: ['t'] }, cache)])
    const admin = new Redis(port, '127.0.0.1')
    admin.on('error', () => {})
    await vi.waitFor(async () => {
      await a.renderer.invalidate({ tags: ['t'] })
      await ask(a)
      await delay(40)
      expect((await admin.keys('html:{*}')).length).toBe(1)
    })
    await admin.save()
    await writeFile(source, '2')
    await a.renderer.invalidate({ tags: ['t'] })
    await other.stop()
    other = await startRedis({ port, args: ['--dir', dir] })
    await vi.waitFor(async () => expect(await admin.keys('html:{*}')).toHaveLength(1), { timeout: 10_000 })
    const ended = performance.now() + 4000
    let shared = 0
    while (performance.now() < ended) {
      for (const app of [a, b]) expect(versionOf(await ask(app))).toBe('2')
      await delay(20)
      shared = a.renderer.stats().cache.hits + b.renderer.stats().cache.hits
    }
    expect(shared).toBeGreaterThan(20) // in step again
    admin.disconnect()
  }, 30_000)
})

describe('without Redis', () => {
  it('pages are rendered as ever, at once, and shared again when it is back', async () => {
    const { a, b } = await two(undefined, { redisTimeoutMs: 50 })
    await ask(a, { ms: 1 })
    const { port } = redis
    redis.signal('SIGSTOP')
    const slowest: number[] = []
    const load = async (app: FastifyInstance, n: number) => {
      const began = performance.now()
      expect((await ask(app, { size: n })).statusCode).toBe(200)
      slowest.push(performance.now() - began)
    }
    for (let n = 0; n < 50; n++) await load(n % 2 ? a : b, n)
    expect(Math.max(...slowest)).toBeLessThan(1000) // 50 ms, and what a busy machine takes
    expect(slowest.toSorted((x, y) => x - y)[25]).toBeLessThan(50) // most did not wait
    await redis.stop()
    for (let n = 100; n < 150; n++) await load(n % 2 ? a : b, n)
    expect(slowest.sort((x, y) => x - y)[50]).toBeLessThan(60)
    redis = await startRedis({ port })
    await vi.waitFor(() => client.ping(), { timeout: 10_000 })
    await inStep(a, b)
    const before = b.renderer.stats().renders
    await ask(a, { size: 999 })
    await delay(50)
    await ask(b, { size: 999 })
    expect(b.renderer.stats().renders).toBe(before)
  }, 60_000)

  it('an invalidation is obeyed here and says that others may not have heard', async () => {
    const dead = await startRedis()
    const onError = vi.fn()
    const app = await serve({ tags: ['t'] }, { redis: dead.url, maxStaleMs: 60_000, onError })
    await ask(app)
    await ask(app)
    await dead.stop()
    await ask(app)
    const renders = app.renderer.stats().renders
    const invalidating = app.renderer.invalidate({ tags: ['t'] })
    invalidating.catch(() => {})
    await ask(app)
    expect(app.renderer.stats().renders).toBe(renders + 1)
    await expect(invalidating).rejects.toMatchObject({ code: 'INVALIDATION_FAILED', statusCode: 503 })
    expect(onError).toHaveBeenCalled()
  })

  it('a server begins, serves and ends', async () => {
    const gone = await startRedis()
    await gone.stop()
    const app = await serve({}, { redis: gone.url })
    expect((await ask(app)).statusCode).toBe(200)
    const began = performance.now()
    await app.close()
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it('a client stays its owner’s', async () => {
    const mine = new Redis(redis.port, '127.0.0.1')
    const app = await serve({}, { redis: mine, prefix: 'mine:' })
    await vi.waitFor(async () => {
      await ask(app, { size: Math.random() * 1e4 })
      expect((await client.keys('mine:{*}')).length).toBeGreaterThan(0)
    })
    expect(await client.keys('html:*')).toEqual([])
    await app.close()
    expect(await mine.ping()).toBe('PONG')
    mine.disconnect()
  })
})
