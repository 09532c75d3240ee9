import { once } from 'node:events'
import { get, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { brotliDecompressSync, constants, gunzipSync } from 'node:zlib'
import compress from '@fastify/compress'
import { createStreamingSSRHandler } from '@scratchyjs/renderer'
import rendererPlugin, { type RendererPluginOptions } from '@scratchyjs/renderer/plugin'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it, vi } from 'vitest'

let app: FastifyInstance

async function serve(
  options: Partial<RendererPluginOptions> = {},
  before: (app: FastifyInstance) => unknown = () => {},
): Promise<string> {
  app = Fastify()
  await before(app)
  await app.register(rendererPlugin, {
    worker: new URL('./fixtures/streams.mjs', import.meta.url),
    maxThreads: 1,
    slots: 4,
    slotSize: 65_536,
    ...options,
  })
  app.get<{ Params: { route: string }; Querystring: { props?: string } }>(
    '/stream/:route',
    (request, reply) =>
      reply.renderStream({ route: request.params.route, props: JSON.parse(request.query.props ?? '{}') }),
  )
  app.get<{ Params: { route: string } }>('/page/:route', (request, reply) =>
    reply.render({ route: request.params.route }),
  )
  app.get('/handled', createStreamingSSRHandler({ getProps: ({ url }) => ({ url }) }))
  return app.listen({ host: '127.0.0.1', port: 0 })
}

const slowly = (props: object) => `stream/slowly?props=${encodeURIComponent(JSON.stringify(props))}`
const idle = () =>
  vi.waitFor(() =>
    expect(app.renderer.stats()).toMatchObject({
      streams: 0,
      queue: { size: 0 },
      slots: { inUse: 0 },
      workers: { active: 0 },
    }),
  )

afterEach(() => app.close())

describe('reply.renderStream', () => {
  it('sends the head, and then the page as it is made', async () => {
    const origin = await serve()
    const response = await fetch(`${origin}/${slowly({ parts: 5, ms: 30 })}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('transfer-encoding')).toBe('chunked')
    const began = performance.now()
    const body = response.body as ReadableStream<Uint8Array>
    const first = await body.getReader().read()
    expect(Buffer.from(first.value as Uint8Array).toString()).toMatch(/^part 0/)
    expect(performance.now() - began).toBeLessThan(100)
    const whole = await (await fetch(`${origin}/stream/response`)).text()
    expect(whole).toBe('<h1>Zoë 🎈</h1>end')
  })

  it.each([
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
  ] as const)(
    'goes through @fastify/compress as it is made, with %s that flushes',
    async (encoding, decode) => {
      const origin = await serve({}, app =>
        app.register(compress, {
          threshold: 0,
          zlibOptions: { flush: constants.Z_SYNC_FLUSH },
          brotliOptions: { flush: constants.BROTLI_OPERATION_FLUSH },
        }),
      )
      const headers = { 'accept-encoding': encoding }
      const parts = { parts: 4, ms: 150 }
      const [response] = await once(get(`${origin}/${slowly(parts)}`, { headers }), 'response')
      expect(response.headers['content-encoding']).toBe(encoding)
      const chunks: Buffer[] = []
      const times: number[] = []
      for await (const chunk of response) {
        chunks.push(chunk)
        times.push(performance.now())
      }
      expect(`${decode(Buffer.concat(chunks))}`).toMatch(/^part 0 .*\npart 1 .*\npart 2 .*\npart 3 .*\n$/)
      expect((times.at(-1) as number) - (times[0] as number), 'not all at the end').toBeGreaterThan(300)
      expect(chunks.length, 'each part by itself').toBeGreaterThanOrEqual(4)
    },
  )

  it('works as a route handler', async () => {
    const origin = await serve()
    expect(await (await fetch(`${origin}/handled?a=1`)).text()).toBe('/handled /handled?a=1')
  })

  it('answers HEAD with the head alone, without making the page', async () => {
    const origin = await serve()
    const response = await fetch(`${origin}/${slowly({ ms: 5 })}`, { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await response.text()).toBe('')
    await idle()
  })

  it('I9: gives an error before the head a page of its own', async () => {
    const origin = await serve()
    const response = await fetch(`${origin}/stream/rejects-first`)
    expect(response.status).toBe(418)
    expect(await response.json()).toMatchObject({ code: 'AT_ONCE', message: 'at once' })
  })

  it.each(['throws', 'exits'])(
    'I9: breaks the connection after the head, and puts no text into the page: %s',
    async route => {
      const origin = await serve()
      const response = await fetch(`${origin}/stream/${route}`)
      expect(response.status).toBe(200)
      const parts: string[] = []
      const read = async () => {
        for await (const part of response.body as ReadableStream<Uint8Array>)
          parts.push(Buffer.from(part).toString())
      }
      await expect(read()).rejects.toThrow()
      expect(['some of it', 'first', '']).toContain(parts.join(''))
      await idle()
    },
  )

  it('I6: ends the render of a client that has gone, and keeps the thread', async () => {
    const origin = await serve()
    const gone = get(`${origin}/${slowly({ ms: 1 })}`)
    const [response] = await once(gone, 'response')
    await once(response, 'data')
    response.destroy()
    await idle()
    expect(app.renderer.stats()).toMatchObject({ cancelled: 1, errors: 0, workers: { restarts: 0 } })
  })

  it('I6: ends the render of a client that has gone before the head, also of a page that is not streamed', async () => {
    const origin = await serve()
    for (const kind of ['stream', 'page']) {
      const gone = request(`${origin}/${kind}/waits`).on('error', () => {})
      gone.end()
      await vi.waitFor(() => expect(app.renderer.stats().workers.active).toBe(1))
      await delay(30)
      gone.destroy()
      await idle()
    }
    expect(app.renderer.stats()).toMatchObject({ cancelled: 2, errors: 0, workers: { restarts: 0 } })
    expect(await (await fetch(`${origin}/page/seen`)).json()).toMatchObject({ aborted: 2 })
  })

  it('I5: does not render what was asked by a client that has gone from the queue', async () => {
    const origin = await serve()
    const first = fetch(`${origin}/page/deaf`)
    await vi.waitFor(() => expect(app.renderer.stats().workers.active).toBe(1))
    const gone = request(`${origin}/page/string`).on('error', () => {})
    gone.end()
    await vi.waitFor(() => expect(app.renderer.stats().queue.size).toBe(1))
    gone.destroy()
    await vi.waitFor(() => expect(app.renderer.stats().queue.size).toBe(0))
    await (await first).text()
    expect(app.renderer.stats()).toMatchObject({ renders: 1, cancelled: 1 })
  })

  it('I10: goes at the pace of a slow client, and holds no more than its ring', async () => {
    const origin = await serve({ maxThreads: 2, streamBuffer: 65_536 })
    const { port } = new URL(origin)
    const slow = connect(Number(port), '127.0.0.1').pause()
    slow.write(`GET /${slowly({ size: 20_000, ms: 0 })} HTTP/1.1\r\nhost: a\r\n\r\n`)
    await vi.waitFor(() => expect(app.renderer.stats().streams).toBe(1))
    // What the operating system takes passes through here first.
    await vi.waitFor(async () => {
      const { arrayBuffers } = process.memoryUsage()
      await delay(500)
      expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(500_000)
    }, 8000)
    // Another stream meanwhile has a thread of its own, and all its bytes.
    const other = await fetch(`${origin}/${slowly({ parts: 100, size: 20_000 })}`)
    expect((await other.text()).length).toBeGreaterThan(2_000_000)
    expect(app.renderer.stats().streams).toBe(1)
    slow.destroy()
    await idle()
  })

  it('refuses with 503 and Retry-After what waits too long for a thread', async () => {
    const origin = await serve({ queueTimeout: 50 })
    const first = fetch(`${origin}/page/deaf`)
    await vi.waitFor(() => expect(app.renderer.stats().workers.active).toBe(1))
    const response = await fetch(`${origin}/stream/string`)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.json()).toMatchObject({ code: 'QUEUE_TIMEOUT' })
    await (await first).text()
  })

  it('I13: lets streams under way end when the server closes', async () => {
    const origin = await serve()
    const [response] = await once(
      get(`${origin}/${slowly({ parts: 20, ms: 10 })}`, { agent: false }),
      'response',
    )
    const closing = app.close()
    expect((await text(response)).trimEnd().split('\n')).toHaveLength(20)
    await closing
  })

  it('works under inject', async () => {
    await serve()
    const response = await app.inject('/stream/generator')
    expect(response.body).toBe('<h1>Zoë 🎈</h1>end')
    await idle()
  })
})

it('streams come back right through many kinds of ends at once', async () => {
  const origin = await serve({ maxThreads: 2 })
  const kinds = ['string', 'generator', 'throws', 'throws-first', 'web', 'response', 'numbers', 'empty']
  const results = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const route = kinds[i % kinds.length] as string
      const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
        get(`${origin}/stream/${route}`, { agent: false }, resolve).on('error', reject)
      })
      if (i % 5 === 0) {
        response.destroy()
        return 'gone'
      }
      const body = await text(response).catch(() => 'broken')
      // The head may have left before the error, or not.
      const isBroken = body === 'broken' || (response.statusCode as number) >= 400
      return isBroken ? `${route} broken` : `${route} ${response.statusCode} ${body}`
    }),
  )
  const whole = '<h1>Zoë 🎈</h1>end'
  const expected = new Set([
    'gone',
    ...['string', 'generator', 'web'].map(kind => `${kind} 200 ${whole}`),
    `response 203 ${whole}`,
    ...['throws', 'numbers', 'throws-first'].map(kind => `${kind} broken`),
    'empty 204 ',
  ])
  expect(new Set(results)).toEqual(expected)
  await idle()
  expect(app.renderer.stats().workers.restarts).toBe(0)
}, 30_000)
