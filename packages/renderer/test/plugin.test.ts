import { once } from 'node:events'
import { get } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { createSSRHandler } from '@scratchyjs/renderer'
import rendererPlugin, { type RendererPluginOptions } from '@scratchyjs/renderer/plugin'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it, vi } from 'vitest'

const worker = new URL('./fixtures/worker.mjs', import.meta.url)
let app: FastifyInstance

async function serve(
  options: Partial<RendererPluginOptions> = {},
  routes: (app: FastifyInstance) => void = () => {},
): Promise<string> {
  app = Fastify()
  await app.register(rendererPlugin, { worker, maxThreads: 1, slots: 4, slotSize: 65_536, ...options })
  app.get<{ Params: { route: string }; Querystring: Record<string, string> }>(
    '/render/:route',
    (request, reply) =>
      reply.render({ route: request.params.route, props: JSON.parse(request.query.props ?? '{}') }),
  )
  routes(app)
  return app.listen({ host: '127.0.0.1', port: 0 })
}

const page = (text: string, times = 1) => `page?props=${encodeURIComponent(JSON.stringify({ text, times }))}`

afterEach(() => app.close())

describe('reply.render', () => {
  it('sends the page with its status, headers, length and type', async () => {
    const origin = await serve()
    const response = await fetch(`${origin}/render/head`)
    expect(response.status).toBe(201)
    expect(response.headers.get('x-rendered-by')).toBe('worker')
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-length')).toBe('4')
    expect(await response.text()).toBe('head')
  })

  it('answers a POST, whose `request.signal` is aborted as soon as its body is there', async () => {
    const origin = await serve({}, app => {
      app.post<{ Body: { text: string } }>('/posted', (request, reply) =>
        reply.render({ route: 'page', props: { text: request.body.text, times: 2 } }),
      )
    })
    const response = await fetch(`${origin}/posted`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"é"}',
    })
    expect(await response.text()).toContain('é')
    expect(app.renderer.stats().cancelled).toBe(0)
  })

  it('answers HEAD with the head alone', async () => {
    const origin = await serve()
    const response = await fetch(`${origin}/render/${page('é', 100)}`, { method: 'HEAD' })
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(200)
    expect(await response.text()).toBe('')
    await vi.waitFor(() => expect(app.renderer.stats().slots.inUse).toBe(0))
  })

  it('works under inject, and gives the slot back', async () => {
    await serve()
    const response = await app.inject(`/render/${page('żółw', 1000)}`)
    expect(response.body).toContain(`<p>${'żółw'.repeat(1000)}</p>`)
    expect(app.renderer.stats().slots).toMatchObject({ inUse: 0, highWater: 1 })
  })

  it('hands the listed request headers to the worker, and no others', async () => {
    const origin = await serve({ headers: ['X-Tenant'] }, app => {
      app.get('/context', (_, reply) => reply.render({ route: 'context', props: 1 }))
    })
    const response = await fetch(`${origin}/context`, { headers: { 'x-tenant': 'blue', cookie: 'secret=1' } })
    expect(await response.json()).toEqual({ headers: { 'x-tenant': 'blue' }, route: 'context', props: 1 })
  })

  it("answers with a failed render's own status, a timeout's 504, a full queue's 503 and when to retry", async () => {
    const origin = await serve({ taskTimeout: 800, maxQueue: 0 })
    expect((await fetch(`${origin}/render/throw`)).status).toBe(404)
    expect((await fetch(`${origin}/render/undefined`)).status).toBe(500)
    expect((await fetch(`${origin}/render/exit`)).status).toBe(500)
    const hanging = fetch(`${origin}/render/never`)
    await vi.waitFor(() => expect(app.renderer.stats().workers.active).toBe(1))
    const refused = await fetch(`${origin}/render/hello`)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await hanging).status).toBe(504)
  })

  it('serves 100 different pages asked for at once, each whole and its own', async () => {
    const origin = await serve({ maxThreads: 2 })
    const pages = await Promise.all(
      Array.from({ length: 100 }, async (_, i) =>
        (await fetch(`${origin}/render/${page(`${i}é`, 1 + i * 7)}`)).text(),
      ),
    )
    pages.forEach((text, i) => {
      expect(text).toContain(`<body><p>${`${i}é`.repeat(1 + i * 7)}</p></body>`)
    })
  })
})

describe('the memory of a page', () => {
  it('I1: is not given to another one before a slow client has read it', async () => {
    const size = 8 * 2 ** 20
    const origin = await serve({ slots: 2, slotSize: size + 1024 })
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.pause()
    socket.write(`GET /render/${page('a', size)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    await vi.waitFor(() => expect(app.renderer.stats().slots.inUse).toBe(1))
    for (let i = 0; i < 20; i++) {
      expect(await (await fetch(`${origin}/render/${page('b', size)}`)).text()).toContain('bbb')
    }
    expect(app.renderer.stats().slots.inUse).toBe(1)
    let body = ''
    socket.setEncoding('latin1')
    for await (const chunk of socket) body += chunk
    expect(body.includes('b'.repeat(8))).toBe(false)
    expect(body.split('<p>')[1]?.split('</p>')[0]?.length).toBe(size)
    await vi.waitFor(() => expect(app.renderer.stats().slots.inUse).toBe(0))
  }, 20_000)

  it('I1: comes back from clients that leave before, while and after a page is rendered, and no thread is killed', async () => {
    const origin = await serve({ maxThreads: 2 })
    const leave = async (ms: number) => {
      const socket = connect(Number(new URL(origin).port), '127.0.0.1')
      socket.on('error', () => {})
      socket.write('GET /render/later?props={"ms":20} HTTP/1.1\r\nhost: x\r\n\r\n')
      await delay(ms)
      socket.destroy()
    }
    await Promise.all(Array.from({ length: 50 }, (_, i) => leave(i)))
    await vi.waitFor(() => expect(app.renderer.stats().workers.active).toBe(0), 10_000)
    await vi.waitFor(() => expect(app.renderer.stats().slots.inUse).toBe(0))
    expect(app.renderer.stats().workers.restarts).toBe(0)
  })
})

describe('a client that asks for many pages on one connection', () => {
  it('I1: and leaves gives all of their slots back, also of those that waited behind another', async () => {
    const warned = vi.fn()
    process.on('warning', warned)
    const origin = await serve({ slots: 32, slotSize: 2 ** 20 })
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.pause()
    socket.write(`GET /render/${page('a', 10 ** 6)} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(20))
    await vi.waitFor(() => expect(app.renderer.stats().renders).toBe(20))
    expect(app.renderer.stats().slots.inUse).toBeGreaterThan(10)
    socket.destroy()
    await vi.waitFor(() => expect(app.renderer.stats().slots.inUse).toBe(0))
    expect(warned).not.toHaveBeenCalled()
    process.off('warning', warned)
  })
})

describe('createSSRHandler', () => {
  it('renders the path with the props, unless getProps answers the request', async () => {
    const origin = await serve({}, app => {
      app.get('/hello', (_, reply) => reply.render({ route: 'hello', props: { name: 'x' } }))
      app.get(
        '/ssr/*',
        createSSRHandler({
          getProps: (request, reply) =>
            request.url.includes('move') ? reply.redirect('/hello') : { url: request.url },
        }),
      )
      app.setErrorHandler((error, _, reply) => reply.code(418).send((error as Error).message))
    })
    expect(await (await fetch(`${origin}/ssr/move`)).text()).toBe('<h1>Hello x</h1>')
    const response = await fetch(`${origin}/ssr/a?b=1`)
    expect(response.status).toBe(418)
  })

  it('passes the path without its query as the route', async () => {
    await serve({ worker: new URL('./fixtures/echo.mjs', import.meta.url) }, app => {
      app.get('/docs/*', createSSRHandler({ getProps: request => ({ query: request.query }) }))
      app.get('/bare', createSSRHandler())
    })
    expect((await app.inject('/docs/a/b?c=1')).json()).toMatchObject({
      route: '/docs/a/b',
      props: { query: { c: '1' } },
    })
    expect((await app.inject('/bare')).json()).toMatchObject({ route: '/bare' })
  })
})

describe('the plugin', () => {
  it('decorates with the pool and raw tasks', async () => {
    await serve()
    expect(app.piscina).toBe(app.renderer.piscina)
    expect(await app.runTask(4, { name: 'double' })).toBe(8)
  })

  it('fails the boot with a worker that can not be loaded, and says why', async () => {
    const broken = Fastify()
    await broken.register(rendererPlugin, {
      worker: new URL('./fixtures/throws-on-import.mjs', import.meta.url),
    })
    await expect(broken.ready()).rejects.toThrow('broken at import')
    await broken.close()
    const missing = Fastify()
    await expect(missing.register(rendererPlugin, { worker: '/no/such/worker.js' }).ready()).rejects.toThrow(
      'there is no file',
    )
    await missing.close()
  })

  it('I13: lets requests under way finish when the app closes', async () => {
    const origin = await serve()
    // A connection of its own: fetch would keep it open, and the server wait for it.
    const [response] = await Promise.all([
      once(get(`${origin}/render/later?props={"ms":300}`, { agent: false }), 'response'),
      vi.waitFor(() => expect(app.renderer.stats().workers.active).toBe(1)).then(() => app.close()),
    ])
    expect(await text(response[0])).toBe('later 300')
  })
})
