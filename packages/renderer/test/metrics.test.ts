import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createRenderer, type Renderer, type RendererOptions } from '@scratchyjs/renderer'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import Fastify from 'fastify'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

const fixture = (name: string) => new URL(`./fixtures/${name}.mjs`, import.meta.url)
const AsyncFunction = (async () => {}).constructor as new (
  ...source: string[]
) => (...values: unknown[]) => Promise<Registry>
const open: Renderer[] = []
let registry: Registry

beforeEach(() => {
  registry = new Registry()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map(renderer => renderer.close()))
})

async function start(options: Partial<RendererOptions> = {}, worker = 'streams'): Promise<Renderer> {
  const renderer = createRenderer({
    worker: fixture(worker),
    maxThreads: 1,
    slots: 4,
    slotSize: 4096,
    metrics: registry,
    ...options,
  })
  open.push(renderer)
  await renderer.ready
  return renderer
}

/** Prometheus' text as `name{a="b",c="d"}` → value, labels in the order of their names, the prefix left out. */
async function scraped(from = registry): Promise<Map<string, number>> {
  const samples = new Map<string, number>()
  for (const line of (await from.metrics()).split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', labels = '', value = ''] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    const sorted = [...labels.matchAll(/([a-z]+)="([^"]*)"/g)].map(([pair]) => pair).sort()
    expect(name, line).toMatch(/^scratchy_renderer_/)
    samples.set(`${name.slice('scratchy_renderer_'.length)}{${sorted.join(',')}}`, Number(value))
  }
  return samples
}

const idle = (renderer: Renderer) => vi.waitFor(() => expect(renderer.stats().workers.active).toBe(0))

describe('the metrics', () => {
  it('count what became of renders, and how long they took', async () => {
    const renderer = await start({ queueTimeout: 100 })
    ;(await renderer.render({ route: 'string' })).release()
    await text((await renderer.renderStream({ route: 'string' })).stream)
    await idle(renderer)
    await renderer.render({ route: 'rejects-first' }).catch(() => {})
    await renderer.render({ route: 'waits' }, { signal: AbortSignal.timeout(20) }).catch(() => {})
    await idle(renderer)
    const slow = renderer.render({ route: 'deaf' }) // 600 ms
    await renderer.render({ route: 'string' }).catch(() => {}) // QUEUE_TIMEOUT
    await (await slow).release()
    const large = await start({ name: 'large', slotSize: 4 })
    ;(await large.render({ route: 'string' })).release()

    const samples = await scraped()
    const of = (name: string) => samples.get(name)
    expect(of('render_seconds_count{kind="page",outcome="ok",pool="renderer"}')).toBe(2)
    expect(of('render_seconds_count{kind="stream",outcome="ok",pool="renderer"}')).toBe(1)
    expect(of('render_seconds_count{kind="page",outcome="error",pool="renderer"}')).toBe(1)
    expect(of('render_seconds_count{kind="page",outcome="cancelled",pool="renderer"}')).toBe(1)
    const seconds = of('render_seconds_sum{kind="page",outcome="ok",pool="renderer"}') as number
    expect(seconds).toBeGreaterThan(0.55)
    expect(seconds).toBeLessThan(2)
    expect(of('queue_wait_seconds_count{pool="renderer"}')).toBe(5)
    expect(of('errors_total{code="RENDER_THREW",pool="renderer"}')).toBe(1)
    expect(of('errors_total{code="QUEUE_TIMEOUT",pool="renderer"}')).toBe(1)
    expect(of('errors_total{code="QUEUE_FULL",pool="renderer"}')).toBe(0)
    expect(of('pages_total{pool="renderer",transport="shared"}')).toBe(2)
    expect(of('pages_total{pool="renderer",transport="payload"}')).toBe(0)
    expect(of('pages_total{pool="large",transport="payload"}')).toBe(1)
  })

  it('count what the page cache answered', async () => {
    const app = Fastify()
    onTestFinished(() => app.close())
    const options = { worker: fixture('echo'), maxThreads: 1, metrics: registry, cache: {} }
    await app.register(rendererPlugin, options)
    app.get('/', (_, reply) => reply.render({ route: '/' }, { cache: {} }))
    for (const headers of [{}, {}, {}, { cookie: 'a=b' }]) await app.inject({ url: '/', headers })
    for (const _ of ['once', 'and not counted twice']) {
      const samples = await scraped()
      const of = (answer: string) =>
        samples.get(`page_cache_answers_total{answer="${answer}",pool="renderer"}`)
      expect(['miss', 'hit', 'stale', 'bypass'].map(of)).toEqual([1, 2, 0, 1])
    }
  })

  it('show what there is now', async () => {
    const renderer = await start()
    const page = await renderer.render({ route: 'string' })
    const streamed = await renderer.renderStream({ route: 'slowly', props: { ms: 5 } })
    const waiting = renderer.render({ route: 'string' })
    const during = await scraped()
    const now = Object.fromEntries(
      [
        'queue_size',
        'workers_active',
        'threads',
        'slots',
        'slots_in_use',
        'slots_quarantined',
        'streams',
      ].map(name => [name, during.get(`${name}{pool="renderer"}`)]),
    )
    expect(now).toEqual({
      queue_size: 1,
      workers_active: 1,
      threads: 1,
      slots: 4,
      slots_in_use: 2, // the page that is kept, and the stream's context
      slots_quarantined: 0,
      streams: 1,
    })
    streamed.stream.destroy()
    page.release()
    ;(await waiting).release()
    await idle(renderer)
    const after = await scraped()
    expect(after.get('slots_in_use{pool="renderer"}')).toBe(0)
    expect(after.get('streams{pool="renderer"}')).toBe(0)
    expect((await scraped()).get('queue_wait_seconds_sum{pool="renderer"}')).toBeGreaterThan(0)
  })

  it('know of threads that crash and are killed, and of slots out of use meanwhile', async () => {
    const renderer = await start({ taskTimeout: 100, cancelGrace: 50 }, 'worker')
    await renderer.render({ route: 'exit' }).catch(() => {})
    await renderer.render({ route: 'loop' }).catch(() => {})
    await vi.waitFor(async () => {
      const samples = await scraped()
      const count = (event: string) => samples.get(`thread_events_total{event="${event}",pool="renderer"}`)
      expect({ started: count('started'), crashed: count('crashed'), killed: count('killed') }).toEqual({
        started: 3,
        crashed: 1,
        killed: 1,
      })
      expect(samples.get('errors_total{code="WORKER_CRASHED",pool="renderer"}')).toBe(1)
      expect(samples.get('errors_total{code="RENDER_TIMEOUT",pool="renderer"}')).toBe(1)
    })
  })

  it("tell of the main thread's delay since the last scrape", async () => {
    await start()
    await new Promise(resolve => setTimeout(resolve, 100))
    const end = performance.now() + 300
    while (performance.now() < end);
    await new Promise(resolve => setTimeout(resolve, 50))
    expect((await scraped()).get('event_loop_delay_p99_seconds{}')).toBeGreaterThan(0.2)
    await new Promise(resolve => setTimeout(resolve, 200))
    expect((await scraped()).get('event_loop_delay_p99_seconds{}')).toBeLessThan(0.1)
  })
})

describe('a registry', () => {
  it('is left as it was when the renderer is closed, and serves another one of the same name', async () => {
    const renderer = await start()
    ;(await renderer.render({ route: 'string' })).release()
    await renderer.close()
    expect((await scraped()).size).toBe(0)
    const next = await start()
    ;(await next.render({ route: 'string' })).release()
    expect((await scraped()).get('pages_total{pool="renderer",transport="shared"}')).toBe(1)
  })

  it('may be shared by renderers with different names, and each leaves nothing behind', async () => {
    const [blue, red] = [await start({ name: 'blue' }), await start({ name: 'red' })]
    ;(await blue.render({ route: 'string' })).release()
    ;(await blue.render({ route: 'string' })).release()
    ;(await red.render({ route: 'string' })).release()
    const both = await scraped()
    expect(both.get('pages_total{pool="blue",transport="shared"}')).toBe(2)
    expect(both.get('pages_total{pool="red",transport="shared"}')).toBe(1)
    await blue.close()
    const left = [...(await scraped()).keys()]
    expect(left.filter(name => name.includes('red')).length).toBeGreaterThan(20)
    expect(left.filter(name => name.includes('blue'))).toEqual([])
  })

  it('refuses a second renderer of one name, and keeps the first', async () => {
    await start()
    await expect(start()).rejects.toThrow(
      'a renderer named "renderer" already; give one of them another `name`',
    )
    expect((await scraped()).get('threads{pool="renderer"}')).toBe(1)
  })

  it.each([
    [{ metrics: {} }, 'Registry'],
    [{ metrics: null }, 'Registry'],
    [{ name: '' }, 'name must be'],
  ])('or name that is none is refused: %j', (options, message) => {
    expect(() =>
      createRenderer({ worker: fixture('streams'), ...options } as unknown as RendererOptions),
    ).toThrow(message)
  })
})

it('a Fastify app serves them as the guide has it, and lets go of the registry when it closes', async () => {
  const guide = await readFile(new URL('../../../docs/observability.md', import.meta.url), 'utf8')
  const [, code = ''] = /```js\nimport [^\n]+\n\n([\s\S]+?)```/.exec(guide) ?? []
  const app = Fastify()
  const run = new AsyncFunction('Registry', 'rendererPlugin', 'app', 'worker', `${code}; return metrics`)
  registry = await run(Registry, rendererPlugin, app, fixture('streams'))
  app.get('/page', (_, reply) => reply.render({ route: 'string' }))
  await app.inject('/page')
  const { body, headers } = await app.inject('/metrics')
  expect(headers['content-type']).toContain('text/plain')
  expect(body).toContain('scratchy_renderer_pages_total{pool="renderer",transport="shared"} 1')
  await app.close()
  expect(await registry.getMetricsAsArray()).toEqual([])
})

it('without prom-client installed, `metrics` says what to install, and everything else works', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'scratchy-metrics-'))
  try {
    // This package as it is published, beside everything that it needs but that one.
    const modules = join(folder, 'node_modules')
    const own = join(modules, '@scratchyjs/renderer')
    await mkdir(own, { recursive: true })
    await cp(fileURLToPath(new URL('../dist', import.meta.url)), join(own, 'dist'), { recursive: true })
    await cp(fileURLToPath(new URL('../package.json', import.meta.url)), join(own, 'package.json'))
    const needed = ['cache-invalidation', 'redis-transport', 'ring-buffer', 'shared-buffer']
    for (const name of [
      'fastify-plugin',
      'piscina',
      'ioredis',
      ...needed.map(name => `@scratchyjs/${name}`),
    ]) {
      await symlink(fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url)), join(modules, name))
    }
    await cp(fileURLToPath(fixture('streams')), join(folder, 'worker.mjs'))
    await writeFile(
      join(folder, 'main.mjs'),
      `import { createRenderer } from '@scratchyjs/renderer'
      const worker = new URL('./worker.mjs', import.meta.url)
      const metrics = { registerMetric() {} }
      try { createRenderer({ worker, metrics }) } catch (error) { console.log(error.name + ': ' + error.message) }
      const renderer = createRenderer({ worker, maxThreads: 1 })
      console.log((await renderer.render({ route: 'string' })).body.toString())
      await renderer.close()`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'main.mjs')], {
      env: { ...process.env, NODE_PATH: '' }, // where the test's own runner would be looked for
    })
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'TypeError: metrics needs the package prom-client, which is not installed: npm install prom-client',
      '<h1>Zoë 🎈</h1>end',
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})
