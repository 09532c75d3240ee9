import { freePort, type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { startProxy } from '@scratchyjs/tooling/tcp-proxy'
import type { Redis, RedisOptions } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createRedisClient, type RedisTransportError } from '../src/index.js'

let server: RedisServer
const clients: Redis[] = []
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown) => unhandled.push(reason)

beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled)
  process.on('uncaughtException', onUnhandled)
  server = await startRedis()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})
afterAll(async () => {
  await server.stop()
  process.removeListener('unhandledRejection', onUnhandled)
  process.removeListener('uncaughtException', onUnhandled)
})

function open(urlOrOptions: string | RedisOptions, onError?: (error: RedisTransportError) => void): Redis {
  const client = createRedisClient(urlOrOptions, onError ? { onError } : {})
  clients.push(client)
  return client
}

describe('a client', () => {
  it('connects with its first command, not before', async () => {
    const client = open(server.url)
    expect(client.status).toBe('wait')
    expect(await client.ping()).toBe('PONG')
    expect(client.options).toMatchObject({
      maxRetriesPerRequest: 3,
      lazyConnect: true,
      enableReadyCheck: true,
    })
  })

  it('follows the options it is given', async () => {
    const client = open({
      host: '127.0.0.1',
      port: server.port,
      db: 3,
      maxRetriesPerRequest: 1,
      commandTimeout: undefined,
    })
    await client.set('only in 3', 'x')
    expect(client.options).toMatchObject({ db: 3, maxRetriesPerRequest: 1, lazyConnect: true })
    expect(client.options.commandTimeout).toBeUndefined()
    expect(await open(`${server.url}/3`).get('only in 3')).toBe('x')
    expect(await open(server.url).get('only in 3')).toBe(null)
  })

  it.each<[string, unknown, RegExp]>([
    ['a URL of another scheme', 'http://localhost', /urlOrOptions must be redis:/],
    ['nothing', undefined, /urlOrOptions must be/],
    ['a port', 6379, /urlOrOptions must be/],
    ['a list', ['redis://a'], /urlOrOptions must be/],
    [
      'a port that is none',
      { port: 70_000 },
      /urlOrOptions.port must be an integer from 1 to 65535, not 70000/,
    ],
    ['waiting without end', { maxRetriesPerRequest: null }, /maxRetriesPerRequest must be .*, not null/],
    [
      'a strategy that is no function',
      { retryStrategy: 50 },
      /retryStrategy must be a function or null, not 50/,
    ],
    ['options that exclude each other', { protocol: 2, replyMapping: 'resp3' }, /replyMapping/],
  ])('is refused for %s, at once', (_, urlOrOptions, message) => {
    expect(() => createRedisClient(urlOrOptions as string)).toThrow(TypeError)
    expect(() => createRedisClient(urlOrOptions as string)).toThrow(message)
  })

  it('keeps a wrong password out of the error', () => {
    expect(() => createRedisClient({ password: 12345 as never })).toThrow(
      /password must be a string, not \*\*\*/,
    )
    expect(() => createRedisClient(server.url, { onError: 'log' as never })).toThrow(
      /onError must be a function/,
    )
  })
})

describe('without Redis', () => {
  it('errors reach onError, and a command is given up after 3 reconnects', async () => {
    const errors: RedisTransportError[] = []
    const client = open(`redis://127.0.0.1:${await freePort()}`, error => errors.push(error))
    await expect(client.get('a')).rejects.toThrow(/max retries per request/)
    expect(errors.length).toBeGreaterThanOrEqual(3)
    expect(errors[0]).toMatchObject({
      name: 'RedisTransportError',
      code: 'REDIS_UNAVAILABLE',
      cause: { code: 'ECONNREFUSED' },
    })
  })

  it('nothing is printed or thrown when nobody listens, or when the listener throws', async () => {
    const printed = vi.spyOn(console, 'error')
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const url = `redis://127.0.0.1:${await freePort()}`
    const throwing = () => {
      throw new Error('from onError')
    }
    const rejecting = async () => throwing()
    for (const onError of [undefined, throwing, rejecting])
      await expect(open(url, onError).get('a')).rejects.toThrow(/max retries/)
    await new Promise(setImmediate)
    process.removeListener('warning', onWarning)
    expect(printed).not.toHaveBeenCalled()
    printed.mockRestore()
    expect(unhandled).toEqual([])
    expect(warnings.filter(({ message }) => message === 'from onError').length).toBeGreaterThanOrEqual(2)
  })

  it('a server that accepts and says nothing does not hold a command for ever', async () => {
    const proxy = await startProxy(server.port)
    proxy.swallow = () => true
    const client = open({ host: '127.0.0.1', port: proxy.port, commandTimeout: 200 })
    await expect(client.get('a')).rejects.toThrow(/timed out/)
    client.disconnect()
    await proxy.close()
  })
})

describe('a subscription that cannot be restored', () => {
  // ioredis subscribes again by itself and looks at no answer.
  it.each(['the client itself', 'its duplicate'])('reaches onError and not the process: %s', async which => {
    const errors: RedisTransportError[] = []
    const proxy = await startProxy(server.port)
    const first = open({ host: '127.0.0.1', port: proxy.port }, error => errors.push(error))
    const client = which === 'its duplicate' ? first.duplicate() : first
    clients.push(client)
    await client.subscribe('news')
    const lost = new Promise<void>(resolve => {
      proxy.swallow = data => {
        if (!data.includes('subscribe')) return false
        setImmediate(() => proxy.close().then(resolve))
        return true
      }
    })
    proxy.cut()
    await lost
    await vi.waitFor(
      () =>
        expect(errors).toContainEqual(
          expect.objectContaining({ message: expect.stringMatching(/max retries/) }),
        ),
      10_000,
    )
    client.disconnect()
    await new Promise(setImmediate)
    expect(unhandled).toEqual([])
  })
})
