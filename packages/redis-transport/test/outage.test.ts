import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { startProxy } from '@scratchyjs/tooling/tcp-proxy'
import type { Redis, RedisOptions } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRedisClient, createRedisTransport, type RedisTransport } from '../src/index.js'

const context = { route: '/a', props: { name: 'x'.repeat(500) } }
/** Waits of ±20 % around it. */
const resetMs = 200
/** How much later than asked for a busy machine may be. */
const SCHEDULING_MS = 500

let server: RedisServer
const clients: Redis[] = []
const connect = (port: number, options: RedisOptions = {}): Redis => {
  const client = createRedisClient({ host: '127.0.0.1', port, ...options })
  clients.push(client)
  return client
}
/** A transport whose first connection is made. */
const open = async (redis: Redis, breaker = {}): Promise<RedisTransport> => {
  await redis.ping()
  return createRedisTransport({ redis, breaker: { resetMs, ...breaker } })
}
const queued = (redis: Redis): number =>
  (redis as unknown as { offlineQueue: { length: number } }).offlineQueue.length

async function timed(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await action()
  return performance.now() - started
}

const sorted = (times: number[]) => times.toSorted((a, b) => a - b).map(ms => Number(ms.toFixed(2)))
const median = (times: number[]) => sorted(times)[times.length >> 1] as number

beforeEach(async () => {
  server = await startRedis()
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect()
  await server.stop()
})

describe('Redis that stalls', () => {
  it('I5: costs the first contexts 50 ms, and those after them nothing', async ({ annotate }) => {
    const redis = connect(server.port)
    const transport = await open(redis, { resetMs: 60_000 })
    server.signal('SIGSTOP')
    const first: number[] = []
    for (let i = 0; i < 5; i += 1) first.push(await timed(() => transport.send(context)))
    expect(transport.stats().breaker.state).toBe('open')
    const opened: number[] = []
    for (let i = 0; i < 1000; i += 1) opened.push(await timed(() => transport.send(context)))
    await annotate(
      `fall-back ${sorted(first)} ms; open: median ${median(opened)} ms, worst ${sorted(opened).at(-1)} ms`,
    )
    for (const ms of first) expect(ms).toBeLessThan(50 + SCHEDULING_MS)
    expect(Math.min(...first)).toBeGreaterThan(45)
    expect(median(opened)).toBeLessThan(1)
    expect(transport.stats().sent).toEqual({
      redis: 0,
      payload: { out: 0, slow: 5, open: 1000, large: 0, asked: 0 },
    })
    server.signal('SIGCONT')
  })

  it('I6: is tried by one probe at a time, and used again when it goes on', async () => {
    const redis = connect(server.port)
    const transport = await open(redis)
    server.signal('SIGSTOP')
    const sendMany = () => Promise.all(Array.from({ length: 100 }, () => transport.send(context)))
    await sendMany()
    expect(transport.stats()).toMatchObject({ sent: { payload: { slow: 100 } }, breaker: { openings: 1 } })
    await sleep(resetMs * 1.3)
    await sendMany()
    expect(transport.stats()).toMatchObject({
      sent: { redis: 0, payload: { slow: 101, open: 99 } },
      breaker: { state: 'open', openings: 1, probes: 1 },
    })
    server.signal('SIGCONT')
    // What was stored late has no reader: it is deleted, long before its time to live ends.
    const observer = connect(server.port)
    await expect.poll(() => observer.dbsize(), { timeout: 5000 }).toBe(0)
    await expect
      .poll(async () => Object.keys(await transport.send(context)), { timeout: 5000 })
      .toEqual(['requestId'])
    expect(transport.stats().breaker).toMatchObject({ state: 'closed', openings: 1 })
    expect(queued(redis)).toBe(0)
  })

  it('I7: makes receive and discard end in time', async () => {
    const transport = await open(connect(server.port))
    const envelope = { requestId: 'one' }
    server.signal('SIGSTOP')
    const received = await timed(() =>
      expect(transport.receive(envelope)).rejects.toMatchObject({
        code: 'REDIS_UNAVAILABLE',
        message: expect.stringMatching(/no answer within 50 ms$/),
      }),
    )
    const discarded = await timed(() => transport.discard(envelope))
    expect(Math.max(received, discarded)).toBeLessThan(50 + SCHEDULING_MS)
    for (let i = 0; i < 3; i += 1) await transport.discard(envelope)
    expect(transport.stats().breaker.state).toBe('open')
    await expect(transport.receive(envelope)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    expect(await timed(() => transport.discard(envelope))).toBeLessThan(20)
    server.signal('SIGCONT')
  })
})

describe('Redis that is gone', () => {
  it('I7: is not waited for, nothing piles up, and it is used again as soon as it is back', async ({
    annotate,
  }) => {
    const redis = connect(server.port)
    const transport = await open(redis, { timeoutMs: 2000 })
    const envelope = await transport.send(context)
    const closed = new Promise(resolve => redis.once('close', resolve))
    await server.stop()
    await closed
    const times: number[] = []
    for (let i = 0; i < 1000; i += 1) times.push(await timed(() => transport.send(context)))
    await annotate(`without a connection: median ${median(times)} ms, worst ${sorted(times).at(-1)} ms`)
    expect(median(times)).toBeLessThan(1)
    expect(transport.stats()).toMatchObject({
      sent: { redis: 1, payload: { out: 1000, slow: 0 } },
      breaker: { state: 'closed', openings: 0 },
    })
    await expect(transport.receive(envelope)).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringMatching(/there is no connection$/),
    })
    await transport.discard(envelope)
    expect(queued(redis)).toBe(0)

    server = await startRedis({ port: server.port })
    await expect
      .poll(async () => Object.keys(await transport.send(context)), { timeout: 10_000 })
      .toEqual(['requestId'])
    // What Redis held is lost with it.
    await expect(transport.receive(envelope)).rejects.toMatchObject({ code: 'CONTEXT_MISSING' })
  })

  it('I7: takes no longer when the connection breaks while a context is stored', async () => {
    const proxy = await startProxy(server.port)
    const transport = await open(connect(proxy.port))
    proxy.swallow = data => data.includes('render:')
    const sent = timed(() => transport.send(context))
    await sleep(10)
    await proxy.close()
    expect(await sent).toBeLessThan(50 + SCHEDULING_MS)
    expect(transport.stats().sent).toMatchObject({ redis: 0 })
  })

  it.each([
    ['refuses', async () => freePort()],
    [
      'says nothing',
      async () => {
        const proxy = await startProxy(server.port)
        proxy.swallow = () => true
        return proxy.port
      },
    ],
  ])('I7: makes no difference to a first context: a server that %s', async (_, portOf) => {
    const redis = connect(await portOf())
    const transport = createRedisTransport({ redis, breaker: { resetMs } })
    expect(redis.status).toBe('wait')
    const first = await timed(() => Promise.all(Array.from({ length: 50 }, () => transport.send(context))))
    expect(first).toBeLessThan(50 + SCHEDULING_MS)
    await timed(() => transport.send(context))
    expect(transport.stats().sent).toMatchObject({ redis: 0 })
    expect(queued(redis)).toBe(0)
  })
})

describe('Redis that is there', () => {
  it('is connected to by the first context, if the client waits for that', async () => {
    const redis = connect(server.port)
    const transport = createRedisTransport({ redis, breaker: { timeoutMs: 2000 } })
    const envelopes = await Promise.all(Array.from({ length: 10 }, () => transport.send(context)))
    for (const envelope of envelopes) expect(envelope).toHaveProperty('requestId')
    const eager = connect(server.port, { lazyConnect: false })
    const other = createRedisTransport({ redis: eager, breaker: { timeoutMs: 2000 } })
    expect(await other.receive(envelopes[0] as { requestId: string })).toEqual(context)
  })

  it('but refuses to store counts as out, and is asked again later', async () => {
    const redis = connect(server.port)
    const transport = await open(redis, { timeoutMs: 2000 })
    await redis.config('SET', 'maxmemory', '1')
    for (let i = 0; i < 7; i += 1) expect(await transport.send(context)).toHaveProperty('payload')
    expect(transport.stats()).toMatchObject({ sent: { payload: { out: 5, open: 2 } } })
    await redis.config('SET', 'maxmemory', '0')
    await expect
      .poll(async () => Object.keys(await transport.send(context)), { timeout: 5000 })
      .toEqual(['requestId'])
  })

  it('I7: though this thread was busy while it answered, is no outage', async () => {
    const transport = await open(connect(server.port))
    const sent = transport.send(context)
    await new Promise<void>(resolve => setImmediate(resolve))
    const busyUntil = performance.now() + 150
    while (performance.now() < busyUntil);
    expect(await sent).toHaveProperty('requestId')
  })
})
