import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { text } from 'node:stream/consumers'
import {
  createRenderer,
  type RenderEvent,
  type Renderer,
  type RendererOptions,
  type ThreadEvent,
} from '@scratchyjs/renderer'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import Fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const fixture = (name: string) => new URL(`./fixtures/${name}.mjs`, import.meta.url)
let renderer: Renderer
let renders: RenderEvent[]
let threads: ThreadEvent[]
const onRender = (event: unknown) => void renders.push(event as RenderEvent)
const onThread = (event: unknown) => void threads.push(event as ThreadEvent)

beforeEach(() => {
  renders = []
  threads = []
  subscribe('scratchyjs:renderer:render', onRender)
  subscribe('scratchyjs:renderer:thread', onThread)
})
afterEach(async () => {
  await renderer?.close()
  unsubscribe('scratchyjs:renderer:render', onRender)
  unsubscribe('scratchyjs:renderer:thread', onThread)
})

async function start(name: string, options: Partial<RendererOptions> = {}): Promise<Renderer> {
  renderer = createRenderer({ worker: fixture(name), maxThreads: 1, slots: 4, slotSize: 4096, ...options })
  await renderer.ready
  return renderer
}

const idle = () => vi.waitFor(() => expect(renderer.stats().workers.active).toBe(0))

describe('the channel of renders', () => {
  it('has one event for each finished render, which says what became of it', async () => {
    await start('streams', { name: 'shop', taskTimeout: 400 })
    const page = await renderer.render({ route: 'response' })
    page.release()
    await text((await renderer.renderStream({ route: 'response' })).stream)
    await idle()
    await renderer.render({ route: 'rejects-first' }).catch(() => {})
    const failing = renderer.renderStream({ route: 'throws' })
    await failing.then(({ stream }) => text(stream)).catch(() => {})
    await idle()
    await renderer.render({ route: 'waits' }).catch(() => {})
    await idle()
    await renderer.render({ route: 'waits' }, { signal: AbortSignal.timeout(20) }).catch(() => {})
    await idle()
    const left = await renderer.renderStream({ route: 'slowly', props: { ms: 5 } })
    left.stream.destroy()
    await idle()

    const seen = renders.map(({ renderMs, ...event }) => {
      expect(renderMs).toBeGreaterThan(0)
      expect(renderMs).toBeLessThan(2000)
      return event
    })
    const common = { name: 'shop', waitMs: 0, transport: undefined, error: undefined }
    const failed = (code: string) => expect.objectContaining({ code })
    expect(seen).toEqual([
      { ...common, route: 'response', kind: 'page', outcome: 'ok', statusCode: 203, transport: 'shared' },
      { ...common, route: 'response', kind: 'stream', outcome: 'ok', statusCode: 203 },
      {
        ...common,
        route: 'rejects-first',
        kind: 'page',
        outcome: 'error',
        statusCode: 418,
        error: failed('AT_ONCE'),
      },
      {
        ...common,
        route: 'throws',
        kind: 'stream',
        outcome: 'error',
        statusCode: expect.any(Number), // the error's, when it was faster than the head
        error: failed('HALF_WAY'),
      },
      {
        ...common,
        route: 'waits',
        kind: 'page',
        outcome: 'error',
        statusCode: 504,
        error: failed('RENDER_TIMEOUT'),
      },
      {
        ...common,
        route: 'waits',
        kind: 'page',
        outcome: 'cancelled',
        statusCode: undefined,
        error: expect.objectContaining({ name: 'TimeoutError' }),
      },
      { ...common, route: 'slowly', kind: 'stream', outcome: 'cancelled', statusCode: 200 },
    ])
    const { renders: ok, errors, cancelled } = renderer.stats()
    expect({ ok, errors, cancelled }).toEqual({ ok: 2, errors: 3, cancelled: 2 })
  })

  it('tells the time in the queue apart, and of renders that never had a thread', async () => {
    await start('streams', { maxQueue: 1, slotSize: 4 })
    const first = renderer.render({ route: 'deaf' }) // 600 ms
    const second = renderer.render({ route: 'string' })
    await renderer.render({ route: 'array' }).catch(() => {})
    await Promise.all([first, second])
    const [refused, , waited] = renders
    expect(refused).toMatchObject({ route: 'array', outcome: 'error', statusCode: 503, waitMs: 0 })
    expect(refused?.renderMs).toBeUndefined()
    expect(waited).toMatchObject({ route: 'string', outcome: 'ok', transport: 'payload' })
    expect(waited?.waitMs).toBeGreaterThan(500)
    expect(waited?.renderMs).toBeLessThan(300)
  })

  it('knows of a page whose thread ended', async () => {
    await start('worker')
    await renderer.render({ route: 'exit' }).catch(() => {})
    expect(renders).toMatchObject([{ outcome: 'error', statusCode: 500, error: { code: 'WORKER_CRASHED' } }])
  })
})

describe('the channel of threads', () => {
  it('tells of one that starts, crashes, and is replaced', async () => {
    await start('worker')
    await renderer.render({ route: 'exit' }).catch(() => {})
    await vi.waitFor(() =>
      expect(threads.map(({ event }) => event)).toEqual(['started', 'crashed', 'started']),
    )
    expect(threads[1]).toMatchObject({
      threadId: threads[0]?.threadId,
      error: { message: /exited with code/ },
    })
    expect(threads[2]?.threadId).toBeGreaterThan(threads[0]?.threadId as number)
    await renderer.close()
    expect(threads).toHaveLength(3)
  })

  it.each(['render', 'renderStream'] as const)(
    'tells of one that is killed, and counts it: %s',
    async method => {
      await start('worker', { taskTimeout: 100, cancelGrace: 50 })
      await expect(renderer[method]({ route: 'loop' })).rejects.toMatchObject({ code: 'RENDER_TIMEOUT' })
      await vi.waitFor(() => expect(threads.map(({ event }) => event)).toContain('killed'))
      await idle()
      expect(threads.filter(({ event }) => event === 'killed')).toHaveLength(1)
      expect(threads.filter(({ event }) => event === 'crashed')).toHaveLength(0)
      expect(renderer.stats().workers.restarts).toBe(1)
    },
  )

  it('tells of one that is recycled', async () => {
    await start('recycled', { recycle: { tasks: 1 } })
    await renderer.render({ route: '/', props: {} })
    await idle()
    await vi.waitFor(() =>
      expect(threads.map(({ event }) => event)).toEqual(['started', 'recycled', 'started']),
    )
    expect(threads[1]?.threadId).toBe(threads[0]?.threadId)
  })
})

it("the plugin writes threads' ends and slots out of use to Fastify's log, each once", async () => {
  const lines: { level: number; msg: string; renderer?: string }[] = []
  const app = Fastify({
    logger: { stream: { write: (line: string) => void lines.push(JSON.parse(line)) } },
  })
  await app.register(rendererPlugin, {
    worker: fixture('worker'),
    maxThreads: 1,
    slots: 4,
    taskTimeout: 1500, // more than a thread takes to start on a busy machine
    cancelGrace: 50,
  })
  app.get('/:route', request => app.renderer.render({ route: (request.params as { route: string }).route }))
  await app.ready()
  for (const route of ['loop', 'exit']) await app.renderer.render({ route }).catch(() => {})
  await vi.waitFor(() => expect(lines).toHaveLength(4))
  const written = lines.map(({ level, msg }) => `${level} ${msg}`).sort()
  expect(written).toEqual([
    expect.stringMatching(/^40 a rendering thread was ended/),
    expect.stringMatching(/^40 a slot .* is out of use/),
    expect.stringMatching(/^40 a slot .* is out of use/),
    expect.stringMatching(/^50 a rendering thread ended by itself/),
  ])
  await app.runTask(undefined, { name: 'throwLater' }).catch(() => {})
  await vi.waitFor(() => expect(lines).toHaveLength(5))
  expect(lines[4]).toMatchObject({ level: 50, renderer: 'renderer', err: { message: 'while idle' } })
  await app.close()
  expect(lines).toHaveLength(5)
})

it('a worker can join its spans to the trace of the request', async () => {
  const app = Fastify()
  await app.register(rendererPlugin, { worker: fixture('worker'), maxThreads: 1 })
  app.get('/', (_, reply) => reply.render({ route: 'context' }))
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const headers = { traceparent, tracestate: 'rojo=00f067aa0ba902b7', cookie: 'secret=1' }
  const response = await app.inject({ url: '/', headers })
  expect(response.json().headers).toMatchObject({ traceparent, tracestate: 'rojo=00f067aa0ba902b7' })
  expect(response.json().headers.cookie).toBeUndefined()
  await app.close()
})
