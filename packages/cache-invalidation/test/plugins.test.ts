import { freePort, type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis, type RedisOptions } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import invalidatorPlugin from '../src/invalidator-plugin.js'
import subscriberPlugin from '../src/subscriber-plugin.js'

let server: RedisServer
const apps: FastifyInstance[] = []
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown) => unhandled.push(reason)

beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled)
  server = await startRedis()
})
afterEach(async () => {
  await Promise.all(apps.splice(0).map(app => app.close()))
  expect(unhandled).toEqual([])
})
afterAll(async () => {
  process.removeListener('unhandledRejection', onUnhandled)
  await server.stop()
})

/** A server with both plugins, and the clients that it owns from then on. */
function start(options: RedisOptions) {
  const app = Fastify()
  apps.push(app)
  const [publisher, subscriber] = [1, 2].map(
    () => new Redis({ host: '127.0.0.1', ...options } as object),
  ) as [Redis, Redis]
  const keys: string[] = []
  const flushes: string[] = []
  const onError = vi.fn()
  app.register(invalidatorPlugin, { publisher })
  app.register(subscriberPlugin, {
    subscriber,
    onInvalidate: stale => void keys.push(...stale),
    onFlush: reason => void flushes.push(reason),
    onError,
  })
  return { app, publisher, subscriber, keys, flushes, onError }
}

async function timed(promise: PromiseLike<unknown>): Promise<number> {
  const started = performance.now()
  await promise
  return performance.now() - started
}

describe('servers with both plugins', () => {
  it('tell each other which keys are stale', async () => {
    const [one, two] = [start({ port: server.port }), start({ port: server.port })]
    one.app.post<{ Params: { key: string } }>('/stale/:key', request =>
      request.server.invalidateCache([request.params.key]),
    )
    await Promise.all([one.app.ready(), two.app.ready()])
    const response = await one.app.inject({ method: 'POST', url: '/stale/a' })
    expect(response.json()).toEqual({ epoch: expect.any(String), sequence: expect.any(Number) })
    await expect.poll(() => [one.keys, two.keys]).toEqual([['a'], ['a']])
    await expect.poll(() => two.app.cacheSubscription.status).toBe('synchronised')
    await expect(one.app.invalidateCache([])).rejects.toThrow(TypeError)
  })

  it('use the channel they are given', async () => {
    const app = Fastify()
    apps.push(app)
    const [publisher, subscriber] = [new Redis(server.port), new Redis(server.port)]
    const keys: string[] = []
    await app.register(invalidatorPlugin, { publisher, channel: 'mine' })
    await app.register(subscriberPlugin, {
      subscriber,
      channel: 'mine',
      onInvalidate: stale => void keys.push(...stale),
    })
    await app.invalidateCache(['a'])
    await expect.poll(() => keys).toEqual(['a'])
    expect(app.cacheSubscription.channel).toBe('mine')
  })

  it('end their clients, and close within a moment', async () => {
    const { app, publisher, subscriber, keys } = start({ port: server.port })
    await app.ready()
    await expect.poll(() => app.cacheSubscription.status).toBe('synchronised')
    void app.invalidateCache(['published before the end'])
    expect(await timed(app.close())).toBeLessThan(1000)
    await expect.poll(() => [publisher.status, subscriber.status]).toEqual(['end', 'end'])
    expect(keys.length).toBeLessThanOrEqual(1)
    await expect(app.invalidateCache(['a'])).rejects.toMatchObject({ code: 'PUBLISH_FAILED' })
  })

  it('close before they were ready, at once', async () => {
    const { app, publisher, subscriber } = start({ port: server.port, lazyConnect: true })
    expect(await timed(app.close())).toBeLessThan(1000)
    await expect.poll(() => [publisher.status, subscriber.status]).toEqual(['end', 'end'])
  })
})

describe('without Redis', () => {
  it('a server boots at once, and closes at once', async () => {
    const port = await freePort()
    const { app, onError } = start({ port })
    expect(await timed(app.ready())).toBeLessThan(1000)
    await expect.poll(() => app.cacheSubscription.status).toBe('degraded')
    await expect.poll(() => onError.mock.calls[0]?.[0]).toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    const published = app.invalidateCache(['a']).catch(error => error.code)
    expect(await timed(app.close())).toBeLessThan(2500)
    expect(await published).toBe('PUBLISH_FAILED')
  })

  it('a server that booted gets in step once Redis is there', async () => {
    const port = await freePort()
    const { app, keys, flushes } = start({ port, retryStrategy: () => 50 })
    await app.ready()
    await expect.poll(() => app.cacheSubscription.status).toBe('degraded')
    const late = await startRedis({ port })
    onTestFinished(() => late.stop())
    await expect.poll(() => app.cacheSubscription.status, { timeout: 5000 }).toBe('synchronised')
    await app.invalidateCache(['a'])
    await expect.poll(() => keys).toEqual(['a'])
    expect(flushes).toEqual(['epoch'])
    await late.stop()
    expect(await timed(app.close())).toBeLessThan(2500)
  })

  it('log an outage once, however often they try to connect, and the next one again', async () => {
    const lines: { msg: string }[] = []
    const app = Fastify({
      logger: { level: 'warn', stream: { write: line => void lines.push(JSON.parse(line)) } },
    })
    apps.push(app)
    const port = await freePort()
    const away = { host: '127.0.0.1', port, retryStrategy: () => 20, lazyConnect: true }
    const attempts = vi.fn()
    const subscriber = new Redis(away).on('reconnecting', attempts)
    await app.register(subscriberPlugin, { subscriber, onInvalidate() {} })
    await expect.poll(() => attempts.mock.calls.length).toBeGreaterThan(5)
    expect(lines).toHaveLength(1)
    expect(lines[0]?.msg).toContain('ECONNREFUSED')
    const there = await startRedis({ port })
    await expect.poll(() => app.cacheSubscription.status).toBe('synchronised')
    await there.stop()
    await expect.poll(() => lines.filter(({ msg }) => msg.includes('ECONNREFUSED')).length).toBe(2)
  })

  it('errors are in the log of the server, unless onError takes them', async () => {
    const lines: string[] = []
    const app = Fastify({ logger: { level: 'warn', stream: { write: line => void lines.push(line) } } })
    apps.push(app)
    const printed = vi.spyOn(console, 'error')
    const port = await freePort()
    const [publisher, subscriber] = [new Redis(port), new Redis(port)]
    app.register(invalidatorPlugin, { publisher })
    app.register(subscriberPlugin, { subscriber, onInvalidate: () => {} })
    await app.ready()
    await expect.poll(() => lines.join('')).toMatch(/"code":"REDIS_UNAVAILABLE"/)
    await expect.poll(() => lines.join('')).toMatch(/Redis connection failed/)
    await app.close()
    expect(printed).not.toHaveBeenCalled()
    printed.mockRestore()
  })

  it('a stalled one does not hold up the end', async () => {
    const own = await startRedis()
    onTestFinished(() => own.stop())
    const { app } = start({ port: own.port })
    await app.ready()
    await expect.poll(() => app.cacheSubscription.status).toBe('synchronised')
    own.signal('SIGSTOP')
    const published = app.invalidateCache(['a']).catch(error => error.code)
    expect(await timed(app.close())).toBeLessThan(4000)
    expect(await published).toBe('PUBLISH_FAILED')
    own.signal('SIGCONT')
  })
})

describe('a plugin', () => {
  it.each([
    ['invalidator', invalidatorPlugin, { publisher: undefined }, /publisher must be a Redis or Cluster/],
    [
      'subscriber',
      subscriberPlugin,
      { subscriber: {}, onInvalidate() {} },
      /subscriber must be a Redis or Cluster/,
    ],
  ] as const)('without a client does not boot: %s', async (_, plugin, options, message) => {
    const app = Fastify()
    await expect(app.register(plugin as never, options as never).ready()).rejects.toThrow(message)
    await app.close()
  })
})
