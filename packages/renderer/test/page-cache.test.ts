import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  createRenderer,
  createSSRHandler,
  createStreamingSSRHandler,
  type PageCacheOptions,
  type PageCaching,
  type PageRequest,
} from '@scratchyjs/renderer'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const worker = new URL('./fixtures/cached.mjs', import.meta.url)
let app: FastifyInstance
let folder: string
let source: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-cache-'))
  source = join(folder, 'source')
  await writeFile(source, '1')
})

afterEach(async () => {
  await app.close()
  await rm(folder, { recursive: true })
})

/** A server whose pages show the source; what a page does besides is in the query's `props`. */
async function serve(caching: PageCaching = {}, cache: PageCacheOptions = {}): Promise<void> {
  app = Fastify({ forceCloseConnections: true })
  await app.register(rendererPlugin, { worker, maxThreads: 2, minThreads: 1, cache })
  app.all<{ Querystring: Record<string, string> }>('/page', (request, reply) => {
    const props = { source, ...JSON.parse(request.query.props ?? '{}') }
    return reply.render({ route: '/page', props }, { cache: caching })
  })
  await app.ready()
}

type Props = {
  ms?: number
  status?: number
  headers?: Record<string, string | string[]>
  size?: number
  fails?: boolean
}

function ask(
  props: Props = {},
  { method = 'GET' as 'GET' | 'HEAD' | 'POST', query = '', headers = {} } = {},
) {
  return app.inject({
    method,
    url: `/page?props=${encodeURIComponent(JSON.stringify(props))}${query}`,
    headers,
  })
}

const renders = () => app.renderer.stats().renders
const versionOf = (response: { body: string }) => JSON.parse(response.body).version

describe('a cached page', () => {
  it('I1: is rendered once, for GET and HEAD, and sent as it was, in memory of its own', async () => {
    await serve()
    const first = await ask({ size: 1000, headers: { 'x-set': 'by the page' } })
    const second = await ask({ size: 1000, headers: { 'x-set': 'by the page' } })
    expect(second.rawPayload).toEqual(first.rawPayload)
    expect(second.headers['x-set']).toBe('by the page')
    expect(second.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(first.headers.age).toBeUndefined()
    expect(second.headers.age).toBe('0')
    expect(second.headers['cache-control']).toBeUndefined()
    const head = await ask({ size: 1000, headers: { 'x-set': 'by the page' } }, { method: 'HEAD' })
    expect(head.headers['content-length']).toBe(first.headers['content-length'])
    for (let i = 0; i < 40; i++) await ask({ size: 1000 + i }) // writes to every slot
    expect((await ask({ size: 1000, headers: { 'x-set': 'by the page' } })).rawPayload).toEqual(
      first.rawPayload,
    )
    expect(renders()).toBe(41)
    expect(app.renderer.stats()).toMatchObject({
      slots: { inUse: 0 },
      cache: { hits: 3, misses: 41, stale: 0, bypassed: 0 },
    })
  })

  it('is rendered anew after its ttl, and not before', async () => {
    await serve({ ttl: 0.3 })
    await ask()
    await writeFile(source, '2')
    expect(versionOf(await ask())).toBe('1')
    await delay(320)
    expect(versionOf(await ask())).toBe('2')
    expect(app.renderer.stats().cache).toMatchObject({ hits: 1, misses: 2, stale: 0 })
  })

  it('I15: depends on what is listed of the query and headers, and the worker sees nothing else', async () => {
    await serve({ query: ['q', 'list'], headers: ['Accept-Language'] })
    const one = await ask(
      {},
      { query: '&q=1&utm=a', headers: { 'accept-language': 'de', 'user-agent': 'a' } },
    )
    const same = await ask(
      {},
      { query: '&utm=b&q=1', headers: { 'accept-language': 'de', 'user-agent': 'b' } },
    )
    expect(same.body).toBe(one.body)
    expect(JSON.parse(one.body).context).toEqual({
      headers: { 'accept-language': 'de' },
      query: { q: '1' },
      route: '/page',
      props: { source },
    })
    expect(renders()).toBe(1)
    const others = [
      await ask({}, { query: '&q=1', headers: { 'accept-language': 'fr' } }),
      await ask({}, { query: '&q=2', headers: { 'accept-language': 'de' } }),
      await ask({}, { query: '&q=1&list=a&list=b', headers: { 'accept-language': 'de' } }),
      await ask({}, { query: '&q=1&list=a,b', headers: { 'accept-language': 'de' } }),
      await ask({}, { query: '&q=1&list=', headers: { 'accept-language': 'de' } }),
      await ask({ size: 1 }, { query: '&q=1', headers: { 'accept-language': 'de' } }),
      await ask({}, { query: '&q=1', headers: { 'accept-language': 'de', host: 'other' } }),
    ]
    expect(renders()).toBe(8)
    expect(JSON.parse(others[2]?.body ?? '').context.query).toEqual({ q: '1', list: ['a', 'b'] })
  })

  it('I15: of a request with a cookie, credentials, another method or a nonce is neither read nor kept', async () => {
    await serve()
    app.close()
    app = Fastify()
    await app.register(rendererPlugin, { worker, maxThreads: 1, cache: {} })
    app.all('/page', (_, reply) => reply.render({ route: '/page', props: { source } }, { cache: {} }))
    app.get('/nonce', (_, reply) => reply.render({ route: '/n', nonce: 'abc' }, { cache: {} }))
    await ask()
    for (const headers of [{ cookie: 'a=1' }, { authorization: 'Basic x' }]) {
      const response = await ask({}, { headers })
      expect(response.headers.etag).toBeUndefined()
    }
    await ask({}, { method: 'POST' })
    await app.inject('/nonce')
    await app.inject('/nonce')
    expect(app.renderer.stats()).toMatchObject({ renders: 6, cache: { hits: 0, misses: 1, bypassed: 5 } })
  })

  it.each([
    { status: 404 },
    { status: 206 },
    { headers: { 'set-cookie': 'a=1' } },
    { headers: { 'cache-control': 'private' } },
    { headers: { 'cache-control': 'max-age=60, No-Store' } },
    { headers: { 'cache-control': 'no-cache="set-cookie"' } },
    { headers: { vary: '*' } },
    { headers: { vary: ['accept', ' *'] } },
  ] as Props[])('I15: is not kept when it is like %j, nor given to those who waited with it', async props => {
    await serve()
    const together = await Promise.all([
      ask({ ...props, ms: 50 }),
      ask({ ...props, ms: 50 }),
      ask({ ...props, ms: 50 }),
    ])
    for (const { statusCode, headers } of together) {
      expect(statusCode).toBe(props.status ?? 200)
      expect(headers.etag).toBeUndefined()
    }
    await ask({ ...props, ms: 50 })
    expect(renders()).toBe(4)
    expect(app.renderer.stats().slots.inUse).toBe(0)
  })

  it.each([
    { 'cache-control': 'public, max-age=60' },
    { 'cache-control': 's-maxage=9, stale-while-revalidate=9' },
    { vary: 'accept' },
  ])('is kept with %j', async headers => {
    await serve()
    await ask({ headers })
    expect((await ask({ headers })).headers).toMatchObject(headers)
    expect(renders()).toBe(1)
  })

  it('that fails is not kept, and fails all who waited for it', async () => {
    await serve()
    const together = await Promise.all([ask({ fails: true, ms: 50 }), ask({ fails: true, ms: 50 })])
    expect(together.map(({ statusCode }) => statusCode)).toEqual([502, 502])
    expect(app.renderer.stats().errors).toBe(1)
    await ask({ fails: true, ms: 50 })
    expect(app.renderer.stats().errors).toBe(2)
  })

  it('I17: that 100 ask for at once is rendered once', async () => {
    await serve()
    const all = await Promise.all(Array.from({ length: 100 }, () => ask({ ms: 50 })))
    expect(new Set(all.map(({ body }) => body)).size).toBe(1)
    expect(app.renderer.stats()).toMatchObject({ renders: 1, cache: { hits: 99, misses: 1 } })
  })

  it('makes room for others by their number and by their bytes', async () => {
    await serve({}, { max: 2, maxSize: 50_000 })
    for (const size of [1, 2, 3, 2, 3, 1]) await ask({ size })
    expect(renders()).toBe(4)
    await ask({ size: 24_500 })
    await ask({ size: 1 })
    expect(renders()).toBe(6)
    await ask({ size: 40_000 }) // larger than all
    await ask({ size: 40_000 })
    expect(renders()).toBe(8)
  })

  it('I17: is finished for the others when its client leaves', async () => {
    await serve()
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    const url = `${origin}/page?props=${encodeURIComponent('{"ms":200}')}`
    const leaving = AbortSignal.timeout(80)
    const first = fetch(url, { signal: leaving }).catch(() => 'left')
    const second = fetch(url)
    expect(await first).toBe('left')
    expect((await second).status).toBe(200)
    expect(app.renderer.stats()).toMatchObject({ renders: 1, cancelled: 0 })
  })
})

describe('a page the client has already', () => {
  it('I17: is not sent again', async () => {
    await serve()
    const first = await ask({ headers: { 'cache-control': 'max-age=60' } })
    const etag = String(first.headers.etag)
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/)
    for (const known of [etag, etag.slice(2), `"x", ${etag}`, `W/"x,y",${etag}`, '*', ' * ']) {
      const response = await ask(
        { headers: { 'cache-control': 'max-age=60' } },
        { headers: { 'if-none-match': known } },
      )
      expect(response.statusCode).toBe(304)
      expect(response.body).toBe('')
      expect(response.headers).toMatchObject({ etag, 'cache-control': 'max-age=60' })
    }
    for (const unknown of ['"x"', etag.slice(3, -1), '', `"x${etag.slice(3)}`]) {
      const response = await ask(
        { headers: { 'cache-control': 'max-age=60' } },
        { headers: { 'if-none-match': unknown } },
      )
      expect(response.statusCode).toBe(200)
    }
    const other = await ask({ size: 1 }, { headers: { 'if-none-match': etag } })
    expect(other.statusCode).toBe(200)
  })

  it('is known by the tag that it set itself', async () => {
    await serve()
    const props = { headers: { etag: '"v1"' } }
    expect((await ask(props)).headers.etag).toBe('"v1"')
    expect((await ask(props, { headers: { 'if-none-match': 'W/"v1"' } })).statusCode).toBe(304)
  })

  it('I17: is sent to one that bypasses the cache', async () => {
    await serve()
    expect((await ask({}, { headers: { cookie: 'a', 'if-none-match': '*' } })).statusCode).toBe(200)
  })
})

describe('stale while revalidate', () => {
  it('I17: sends the old page at once, renders one new one, and then sends that', async () => {
    await serve({ ttl: 0.2, staleWhileRevalidate: 10 })
    await ask({ ms: 100 })
    await writeFile(source, '2')
    await delay(210)
    const began = performance.now()
    const stale = await Promise.all(Array.from({ length: 20 }, () => ask({ ms: 100 })))
    expect(performance.now() - began).toBeLessThan(90)
    expect(stale.map(versionOf)).toEqual(Array(20).fill('1'))
    await vi.waitFor(() => expect(renders()).toBe(2))
    await delay(20)
    expect(versionOf(await ask({ ms: 100 }))).toBe('2')
    expect(app.renderer.stats()).toMatchObject({ renders: 2, cache: { hits: 1, misses: 1, stale: 20 } })
  })

  it('ends', async () => {
    await serve({ ttl: 0.1, staleWhileRevalidate: 0.1 })
    await ask()
    await writeFile(source, '2')
    await delay(210)
    expect(versionOf(await ask())).toBe('2')
    expect(app.renderer.stats().cache).toMatchObject({ misses: 2, stale: 0 })
  })

  it('I16: never sends a page that was invalidated, not even when its refresh had begun', async () => {
    await serve({ ttl: 0.1, staleWhileRevalidate: 10, tags: ['t'] })
    await ask({ ms: 100 })
    await delay(110)
    expect(versionOf(await ask({ ms: 100 }))).toBe('1')
    await delay(30) // the refresh has read the source
    await writeFile(source, '2')
    await app.renderer.invalidate({ tags: ['t'] })
    expect(versionOf(await ask({ ms: 100 }))).toBe('2')
    await delay(120)
    expect(versionOf(await ask({ ms: 100 }))).toBe('2')
  })

  it('keeps the old page when the new one fails, and says so; not when there is none any more', async () => {
    const onError = vi.fn()
    await serve({ ttl: 0.1, staleWhileRevalidate: 10 }, { onError })
    await ask()
    await delay(110)
    await rm(source)
    expect((await ask()).statusCode).toBe(200)
    await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce())
    expect((await ask()).statusCode).toBe(200)
    await writeFile(source, 'status=404')
    await vi.waitFor(async () => expect((await ask()).statusCode).toBe(404))
    expect(app.renderer.stats().slots.inUse).toBe(0)
  })
})

describe('invalidate', () => {
  it('I16: drops pages by route and by tag, and no others', async () => {
    await serve({ tags: ['a', 'b'] })
    await ask()
    await app.renderer.invalidate({ keys: ['/other'], tags: ['c', '/page'] })
    await ask()
    expect(renders()).toBe(1)
    await app.renderer.invalidate({ tags: ['b'] })
    await ask()
    expect(renders()).toBe(2)
    await app.renderer.invalidate({ keys: ['/page'] })
    await ask()
    expect(renders()).toBe(3)
  })

  it('I16: keeps a page out whose render had begun', async () => {
    await serve()
    const early = ask({ ms: 100 })
    await vi.waitFor(() => expect(app.renderer.stats().workers.active).toBe(1))
    await delay(30)
    await writeFile(source, '2')
    await app.renderer.invalidate({ keys: ['/page'] })
    const late = ask({ ms: 100 })
    expect(versionOf(await early)).toBe('1')
    expect(versionOf(await late)).toBe('2')
    expect(versionOf(await ask({ ms: 100 }))).toBe('2')
  })

  it('refuses what names nothing', async () => {
    await serve()
    await expect(app.renderer.invalidate({})).rejects.toThrow('keys or tags must name something')
    await expect(app.renderer.invalidate({ keys: '/a' as never })).rejects.toThrow('keys must be a list')
    await expect(app.renderer.invalidate({ tags: [''] })).rejects.toThrow(TypeError)
    const renderer = createRenderer({ worker, maxThreads: 1 })
    await expect(renderer.invalidate({ keys: ['/a'] })).rejects.toThrow('no option `cache`')
    await renderer.close()
  })
})

describe('createSSRHandler with cache', () => {
  it('I15: asks for props only when it renders, and shows them nothing that is not in the key', async () => {
    app = Fastify()
    await app.register(rendererPlugin, { worker, maxThreads: 1, cache: {} })
    const seen: unknown[] = []
    const getProps = vi.fn((page: PageRequest) => {
      seen.push(Object.keys(page))
      return { id: page.params.id, q: page.query.q, all: page.personal?.request.headers.cookie }
    })
    app.get('/docs/:id', createSSRHandler({ getProps, cache: { query: ['q'], headers: ['x-listed'] } }))
    const get = (url: string, headers = {}) => app.inject({ url, headers })
    const first = await get('/docs/7?q=1&utm=2', { 'x-listed': 'a', 'x-other': 'b' })
    expect(first.json().context).toEqual({
      headers: { 'x-listed': 'a' },
      query: { q: '1' },
      route: '/docs/7',
      props: { id: '7', q: '1' },
    })
    await get('/docs/7?q=1', { 'x-listed': 'a' })
    expect(getProps).toHaveBeenCalledOnce()
    expect(seen).toEqual([['route', 'params', 'query', 'headers', 'host']])
    await get('/docs/8?q=1', { 'x-listed': 'a' })
    await get('/docs/7?q=1', { 'x-listed': 'b' })
    await get('/docs/7?q=1', { 'x-listed': 'a', host: 'other' })
    expect(getProps).toHaveBeenCalledTimes(4)
    const personal = await get('/docs/7?q=1', { 'x-listed': 'a', cookie: 'mine' })
    expect(personal.json().context.props.all).toBe('mine')
    expect((await get('/docs/7?q=1', { 'x-listed': 'a' })).json().context.props.all).toBeUndefined()
    await app.renderer.invalidate({ keys: ['/docs/7'] })
    await get('/docs/7?q=1', { 'x-listed': 'a' })
    expect(getProps).toHaveBeenCalledTimes(6)
  })

  it('I15: lets getProps answer a personal request itself, and keeps no page whose props hold a nonce', async () => {
    app = Fastify()
    await app.register(rendererPlugin, { worker, maxThreads: 1, cache: {} })
    const redirect = createSSRHandler({
      getProps: ({ personal }) => personal?.reply.redirect('/login'),
      cache: {},
    })
    app.get('/move', redirect)
    let nonce = 0
    app.get('/nonce', createSSRHandler({ getProps: () => ({ nonce: nonce++ }), cache: {} }))
    expect((await app.inject({ url: '/move', headers: { cookie: 'a' } })).headers.location).toBe('/login')
    expect((await app.inject('/nonce')).json().context.props.nonce).toBe(0)
    expect((await app.inject('/nonce')).json().context.props.nonce).toBe(1)
  })

  it('I15: tells routes apart that share a path', async () => {
    app = Fastify()
    await app.register(rendererPlugin, { worker, maxThreads: 1, cache: {} })
    for (const version of ['1.0.0', '2.0.0']) {
      const handler = createSSRHandler({ getProps: () => ({ version }), cache: {} })
      app.route({ method: 'GET', url: '/v', constraints: { version }, handler })
    }
    for (const version of ['1.0.0', '2.0.0']) {
      const response = await app.inject({ url: '/v', headers: { 'accept-version': version } })
      expect(response.json().context.props).toEqual({ version })
    }
  })
})

describe('what can not be', () => {
  it('is refused with the reason', async () => {
    await serve()
    app.close()
    app = Fastify()
    await app.register(rendererPlugin, { worker, maxThreads: 1, cache: { ttl: 5 } })
    const ways: Record<string, (reply: import('fastify').FastifyReply) => Promise<unknown>> = {
      'A streamed page can not be cached': reply =>
        (reply.renderStream as (...args: unknown[]) => Promise<unknown>).call(
          reply,
          { route: '/' },
          { cache: {} },
        ),
      'cache.ttl must be': reply => reply.render({ route: '/' }, { cache: { ttl: 0 } }),
      'cache.staleWhileRevalidate must be': reply =>
        reply.render({ route: '/' }, { cache: { staleWhileRevalidate: -1 } }),
      'cache.tags must be a list': reply => reply.render({ route: '/' }, { cache: { tags: 'a' as never } }),
      'cache must be an object': reply => reply.render({ route: '/' }, { cache: true as never }),
      'needs `cache`': reply => reply.render((() => ({ route: '/' })) as never),
    }
    for (const [index, way] of Object.values(ways).entries()) app.get(`/${index}`, (_, reply) => way(reply))
    for (const [index, message] of Object.keys(ways).entries()) {
      const response = await app.inject(`/${index}`)
      expect(response.statusCode).toBe(500)
      expect(response.json().message).toContain(message)
    }
    expect(() => createStreamingSSRHandler({ cache: {} } as never)).toThrow(TypeError)
    for (const cache of [{ max: 0 }, { maxSize: -1 }, { ttl: Number.NaN }, true as never]) {
      expect(() => createRenderer({ worker, cache })).toThrow(/cache/)
    }
    const bare = Fastify()
    await bare.register(rendererPlugin, { worker, maxThreads: 1 })
    bare.get('/', (_, reply) => reply.render({ route: '/' }, { cache: {} }))
    expect((await bare.inject('/')).json().message).toContain('no option `cache`')
    await bare.close()
  })

  it('a route longer than an invalidation may name is rendered each time', async () => {
    await serve()
    app.close()
    app = Fastify()
    await app.register(rendererPlugin, { worker, maxThreads: 1, cache: {} })
    app.get('/', (_, reply) => reply.render({ route: `/${'x'.repeat(9000)}` }, { cache: {} }))
    expect((await app.inject('/')).statusCode).toBe(200)
    expect(app.renderer.stats().cache.bypassed).toBe(1)
  })
})

it('I16: a reload of the worker begins with an empty cache', async () => {
  await serve()
  await ask()
  await app.renderer.reload()
  await ask()
  expect(renders()).toBe(2)
})
