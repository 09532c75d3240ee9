import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import type { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRedisClient, createRedisTransport, type RedisTransport } from '../src/index.js'
import { type RenderPool, startPool, underLoad } from './render-pool.js'

let server: RedisServer
let redis: Redis
let transport: RedisTransport
let pool: RenderPool
const breaker = { resetMs: 200 }

beforeEach(async () => {
  server = await startRedis()
  const address = { host: '127.0.0.1', port: server.port }
  redis = createRedisClient(address)
  await redis.connect()
  transport = createRedisTransport({ redis, breaker })
  pool = await startPool(transport, address, breaker)
  await Promise.all(Array.from({ length: 8 }, () => pool.render({ route: '/', props: { name: 'first' } })))
})
afterEach(async () => {
  await pool.close()
  redis.disconnect()
  await server.stop()
})

const nameOf = (index: number) => `reader ${index} ${'x'.repeat(200)}`

/** Renders without a pause while something happens to Redis; answers what went wrong. */
async function renderDuring(fault: () => Promise<void>): Promise<{ renders: number; wrong: unknown[] }> {
  const wrong: unknown[] = []
  let isOver = false
  const load = underLoad(
    8,
    async index => {
      const name = nameOf(index)
      try {
        const html = await pool.render({ route: '/', props: { name } })
        if (html !== `<h1>${name}</h1>`) wrong.push(html)
      } catch (error) {
        wrong.push(error)
      }
    },
    () => !isOver,
  )
  await sleep(200)
  await fault()
  await sleep(400)
  isOver = true
  return { renders: await load, wrong }
}

const summary = (renders: number) =>
  `${renders} renders, lost in the worker: ${JSON.stringify(pool.lost)}, sent: ${JSON.stringify(transport.stats().sent)}`

describe('under load, with threads that have a connection each', () => {
  it('no render fails when Redis is killed and starts again', async ({ annotate }) => {
    const { renders, wrong } = await renderDuring(async () => {
      await server.stop()
      await sleep(300)
      server = await startRedis({ port: server.port })
      await expect.poll(() => redis.status, { timeout: 10_000 }).toBe('ready')
      const before = transport.stats().sent.redis
      await expect.poll(() => transport.stats().sent.redis, { timeout: 10_000 }).toBeGreaterThan(before)
    })
    await annotate(summary(renders))
    expect(wrong).toEqual([])
    expect(transport.stats().sent.payload.out).toBeGreaterThan(0)
  })

  it('no render fails when Redis stalls, and goes on', async ({ annotate }) => {
    const { renders, wrong } = await renderDuring(async () => {
      server.signal('SIGSTOP')
      await expect.poll(() => transport.stats().breaker.probes, { timeout: 10_000 }).toBeGreaterThan(0)
      server.signal('SIGCONT')
      const before = transport.stats().sent.redis
      await expect.poll(() => transport.stats().sent.redis, { timeout: 10_000 }).toBeGreaterThan(before)
    })
    await annotate(summary(renders))
    expect(wrong).toEqual([])
  })

  it('no render fails when Redis forgets everything, again and again', async ({ annotate }) => {
    const { renders, wrong } = await renderDuring(async () => {
      for (let i = 0; i < 100; i += 1) {
        await redis.flushall()
        await sleep(3)
      }
    })
    await annotate(summary(renders))
    expect(wrong).toEqual([])
    expect(pool.lost.CONTEXT_MISSING).toBeGreaterThan(0)
  })

  it('threads that start while Redis stalls, or is gone, do not wait for it', async () => {
    const address = { host: '127.0.0.1', port: server.port }
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
      server.signal(signal)
      const started = performance.now()
      const late = await startPool(transport, address, breaker)
      expect(await late.render({ route: '/', props: { name: 'x' } })).toBe('<h1>x</h1>')
      // A client gives up after 5 s.
      expect(performance.now() - started).toBeLessThan(4500)
      await late.close()
    }
  })

  it('a thread has one connection, from its start to its end', async () => {
    const connections = async () =>
      String(await redis.client('LIST'))
        .trim()
        .split('\n').length
    const run = () =>
      Promise.all(
        Array.from({ length: 50 }, (_, i) => pool.render({ route: '/', props: { name: nameOf(i) } })),
      )
    await run()
    expect(pool.piscina.threads).toHaveLength(2)
    expect(await connections()).toBe(3)
    await run()
    expect(await connections()).toBe(3)
    await pool.close()
    await expect.poll(connections, { timeout: 5000 }).toBe(1)
  })

  it('I8: a context is deleted though its render ends the thread', async () => {
    for (let i = 0; i < 3; i += 1)
      await expect(pool.render({ route: '/', props: { name: 'x', dies: true } })).rejects.toThrow()
    await expect.poll(() => redis.dbsize()).toBe(0)
    expect(await pool.render({ route: '/', props: { name: 'y' } })).toBe('<h1>y</h1>')
  })
})
