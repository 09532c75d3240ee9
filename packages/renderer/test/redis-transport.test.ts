import { setTimeout as delay } from 'node:timers/promises'
import { createRenderer, type Renderer, type RendererOptions } from '@scratchyjs/renderer'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { Cluster, Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const worker = new URL('./fixtures/worker.mjs', import.meta.url)
let redis: RedisServer
let client: Redis
const open: Renderer[] = []

beforeEach(async () => {
  redis = await startRedis()
  client = new Redis(redis.port, '127.0.0.1')
  client.on('error', () => {})
})

afterEach(async () => {
  await Promise.all(open.splice(0).map(renderer => renderer.close()))
  client.disconnect()
  await redis.stop()
})

async function start(options: Partial<RendererOptions> = {}): Promise<Renderer> {
  const renderer = createRenderer({
    worker,
    maxThreads: 2,
    slots: 8,
    slotSize: 65_536,
    transport: 'redis',
    redis: redis.url,
    ...options,
  })
  open.push(renderer)
  await renderer.ready
  return renderer
}

async function render(renderer: Renderer, text = 'żółw', times = 1): Promise<void> {
  const page = await renderer.render({ route: 'page', props: { text, times } })
  expect(page.body.toString()).toContain(`<p>${text.repeat(times)}</p>`)
  page.release()
}

/** Until the workers have connected too. */
async function connected(renderer: Renderer): Promise<void> {
  await vi.waitFor(async () => {
    const before = renderer.stats().transport.redis
    await Promise.all(Array.from({ length: 8 }, () => render(renderer)))
    expect(renderer.stats().transport.redis).toBe(before + 8)
  })
}

const carried = (renderer: Renderer) => renderer.stats().transport

describe("transport 'redis'", () => {
  it('carries contexts through Redis, of streamed pages too, and leaves nothing there', async () => {
    const renderer = await start()
    await connected(renderer)
    const before = carried(renderer)
    const context = { route: 'context', props: { at: new Date(0), none: undefined, text: 'é\ud800' } }
    const page = await renderer.render(context)
    expect(page.body.toString()).toBe(JSON.stringify(context))
    expect(page.body.buffer).toBeInstanceOf(SharedArrayBuffer)
    page.release()
    expect(carried(renderer)).toEqual({ ...before, redis: before.redis + 1 })
    const { stream } = await renderer.renderStream(context)
    expect(Buffer.concat(await stream.toArray()).toString()).toBe(JSON.stringify(context))
    expect(await client.keys('*')).toEqual([])
    expect(renderer.stats().slots.inUse).toBe(0)
  })

  it('I7: is cancelled while its context is sent, leaves its place to the next, and nothing in Redis', async () => {
    const renderer = await start({ maxThreads: 1 })
    await connected(renderer)
    const unwanted = new AbortController()
    const cancelled = renderer.render({ route: 'hello' }, { signal: unwanted.signal })
    const next = render(renderer)
    expect(renderer.stats().workers.active).toBe(1)
    unwanted.abort() // in the same turn: Redis can't have answered
    await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' })
    await next
    expect(renderer.stats()).toMatchObject({ cancelled: 1, workers: { active: 0 }, slots: { inUse: 0 } })
    await vi.waitFor(async () => expect(await client.keys('*')).toEqual([]))
  })

  it('sends a context again that Redis has lost, to the same end', async () => {
    const renderer = await start({ maxThreads: 1, maxQueue: 20 })
    await connected(renderer)
    const { shared } = carried(renderer)
    const busy = renderer.render({ route: 'busy', props: { ms: 200 } })

    // Every context is gone as soon as it is there.
    let isOver = false
    const forgetting = (async () => {
      while (!isOver) await client.flushall()
    })()
    const streams = Promise.all(
      Array.from({ length: 5 }, () => renderer.renderStream({ route: 'hello', props: { name: 'you' } })).map(
        async stream => Buffer.concat(await (await stream).stream.toArray()).toString(),
      ),
    )
    await Promise.all(Array.from({ length: 10 }, () => render(renderer, 'x', 10)))
    expect(await streams).toEqual(Array(5).fill('<h1>Hello you</h1>'))
    for (let i = 0; i < 200; i++) await render(renderer, `${i}`)
    isOver = true
    await forgetting
    ;(await busy).release()
    expect(carried(renderer).shared).toBeGreaterThan(shared)
    expect(renderer.stats()).toMatchObject({ errors: 0, slots: { inUse: 0 }, streams: 0, queue: { size: 0 } })
  })

  it('forgets a stream that its client leaves while the lost context waits for another turn', async () => {
    const renderer = await start({ maxThreads: 1 })
    await connected(renderer)
    let isOver = false
    const forgetting = (async () => {
      while (!isOver) await client.flushall()
    })()
    for (let i = 0; i < 100; i++) {
      const leaving = new AbortController()
      const context = { route: 'hello', props: { name: 'you' } }
      const streams = Array.from({ length: 4 }, () =>
        renderer.renderStream(context, { signal: leaving.signal }),
      )
      setTimeout(() => leaving.abort(), i % 5)
      for (const result of await Promise.allSettled(streams)) {
        if (result.status === 'fulfilled') result.value.stream.destroy()
        else expect(result.reason).toMatchObject({ name: 'AbortError' })
      }
    }
    isOver = true
    await forgetting
    await vi.waitFor(() =>
      expect(renderer.stats()).toMatchObject({
        streams: 0,
        slots: { inUse: 0 },
        workers: { active: 0 },
        errors: 0,
      }),
    )
  })

  it('fails no render while Redis is stalled, killed, and started again', async () => {
    const renderer = await start()
    await connected(renderer)
    let isOver = false
    let renders = 0
    const client_ = async (n: number) => {
      while (!isOver) {
        await render(renderer, `${n} ${renders++}`)
        await delay(1)
      }
    }
    const load = Promise.all(Array.from({ length: 6 }, (_, n) => client_(n)))
    const { port } = redis
    await delay(200)
    redis.signal('SIGSTOP')
    await delay(500)
    redis.signal('SIGCONT')
    await delay(200)
    await redis.stop()
    await delay(300)
    const during = carried(renderer).redis
    redis = await startRedis({ port })
    await vi.waitFor(() => expect(carried(renderer).redis).toBeGreaterThan(during + 50), { timeout: 15_000 })
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal')
    await delay(300)
    isOver = true
    await load
    expect(renders).toBeGreaterThan(200)
    expect(renderer.stats()).toMatchObject({ errors: 0, slots: { inUse: 0, quarantined: 0 } })
    expect(carried(renderer).shared).toBeGreaterThan(0)
  }, 40_000)

  it('begins and renders without Redis', async () => {
    await redis.stop()
    const renderer = await start()
    await render(renderer)
    expect(carried(renderer)).toEqual({ shared: 1, payload: 0, redis: 0 })
  })

  it('takes a client, which stays its owner’s, and closes the connections of its workers', async () => {
    const renderer = await start({ redis: client })
    await connected(renderer)
    const connections = async () => `${await client.client('LIST')}`.trim().split('\n').length
    expect(await connections()).toBe(3)
    await renderer.close()
    expect(await client.ping()).toBe('PONG')
    await vi.waitFor(async () => expect(await connections()).toBe(1))
  })

  it('is refused without a Redis, and with one that workers can not connect to', () => {
    expect(() => createRenderer({ worker, transport: 'redis' })).toThrow('needs the option `redis`')
    const cluster = new Cluster([], { lazyConnect: true })
    expect(() => createRenderer({ worker, transport: 'redis', redis: cluster as never })).toThrow(
      'no Cluster',
    )
    cluster.disconnect()
    const lookup = { checkServerIdentity() {} } as never
    const secure = new Redis({ lazyConnect: true, tls: lookup })
    expect(() => createRenderer({ worker, transport: 'redis', redis: secure })).toThrow(
      'can not be given to a worker',
    )
    secure.disconnect()
  })
})

describe("transport 'auto'", () => {
  it('uses slots, and Redis for contexts that are larger, by their bytes', async () => {
    const renderer = await start({ transport: 'auto', slotSize: 4096 })
    await vi.waitFor(async () => {
      await render(renderer, 'x'.repeat(5000))
      expect(carried(renderer).redis).toBeGreaterThan(2)
    })
    const before = carried(renderer)
    await render(renderer, 'x'.repeat(1000))
    await render(renderer, 'é'.repeat(3000)) // fewer characters than bytes in a slot
    await render(renderer, 'x', 5000) // the page alone is larger
    expect(carried(renderer)).toEqual({
      shared: before.shared + 1,
      payload: before.payload + 1,
      redis: before.redis + 1,
    })
  })

  it('works without a Redis', async () => {
    const renderer = await start({ transport: 'auto', redis: undefined as never })
    await render(renderer)
    await render(renderer, 'x'.repeat(100_000))
    expect(carried(renderer)).toEqual({ shared: 1, payload: 1, redis: 0 })
  })
})
