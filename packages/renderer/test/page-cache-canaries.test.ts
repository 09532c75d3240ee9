import { createSSRHandler } from '@scratchyjs/renderer'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'

const REQUESTS = 10_000
let redis: RedisServer
let client: Redis
let servers: FastifyInstance[]

/** What must never be kept: each of these says so in its own way. */
const unkept: Record<string, object> = {
  cookie: { headers: { 'set-cookie': 'session=1' } },
  private: { headers: { 'cache-control': 'private, max-age=60' } },
  'no-store': { headers: { 'cache-control': 'no-store' } },
  missing: { status: 404 },
  varied: { headers: { vary: '*' } },
}

async function serve(): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(rendererPlugin, {
    worker: new URL('./fixtures/cached.mjs', import.meta.url),
    maxThreads: 1,
    maxQueue: REQUESTS,
    queueTimeout: 60_000,
    cache: { redis: redis.url, max: 200, ttl: 1, redisTimeoutMs: 3000 },
  })
  const caching = { query: ['q'], headers: ['accept-language'], staleWhileRevalidate: 5, tags: ['t'] }
  app.get<{ Params: { kind: string } }>('/context/:kind', (request, reply) => {
    const { kind } = request.params
    // As an application does: who is logged in gets a page of his own.
    const props = { kind, user: request.headers.cookie ?? request.headers.authorization, ...unkept[kind] }
    return reply.render({ route: `/context/${kind}`, props }, { cache: caching })
  })
  app.get(
    '/loaded/:kind',
    createSSRHandler({
      getProps({ params, query, personal }) {
        const seen = personal?.request.headers
        return {
          kind: params.kind,
          q: query.q,
          user: seen?.cookie ?? seen?.authorization,
          ...unkept[params.kind],
        }
      },
      cache: caching,
    }),
  )
  await app.ready()
  return app
}

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.port, '127.0.0.1')
  servers = await Promise.all([serve(), serve()])
})

afterAll(async () => {
  await Promise.all(servers.map(app => app.close()))
  client.disconnect()
  await redis.stop()
})

const of = <T>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)] as T

/** A request of user `n`: all that could leak holds a mark of his. */
function generate(n: number) {
  const mark = `canary-${n}-`
  const kind = of(['a', 'b', 'c', 'd', ...Object.keys(unkept)])
  const q = of([undefined, '1', '2', 'ü', ['1', '2']])
  const language = of([undefined, 'de', 'fr'])
  const listed =
    q === undefined
      ? ''
      : [q]
          .flat()
          .map(value => `&q=${encodeURIComponent(value)}`)
          .join('')
  const headers: Record<string, string> = { 'user-agent': mark, 'x-user': mark, referer: mark }
  if (language) headers['accept-language'] = language
  const login = of([undefined, undefined, undefined, 'cookie', 'authorization'] as const)
  if (login) headers[login] = `${mark}${login}`
  const url = `/${of(['context', 'loaded'])}/${kind}?utm_source=${mark}${listed}&Q=${mark}`
  return { url, headers, mark, kind, q, language, login }
}

it(`of ${REQUESTS} requests none gets another user's page, and nothing is kept that must not be`, async () => {
  let n = 0
  const client_ = async () => {
    while (n < REQUESTS) {
      const { url, headers, mark, kind, q, language, login } = generate(n++)
      const app = of(servers)
      const response = await app.inject({ url, headers: headers as FastifyRequest['headers'] })
      if (n % 1000 === 0) await app.renderer.invalidate({ tags: ['t'] })
      const { context } = response.json()
      const marks = new Set(response.body.match(/canary-\d+-/g) ?? [])
      expect([...marks]).toEqual(login ? [mark] : [])
      expect(context.props.user).toBe(login ? `${mark}${login}` : undefined)
      expect(context.props.kind).toBe(kind)
      expect(context.query.q).toEqual(q)
      expect(context.headers).toEqual(language ? { 'accept-language': language } : {})
      expect(response.headers.etag !== undefined).toBe(!login && !(kind in unkept))
    }
  }
  await Promise.all(Array.from({ length: 20 }, client_))
  const kept = await client.keys('html:{*}')
  expect(kept.length).toBeGreaterThan(20)
  for (const key of kept) {
    const page = `${await client.get(key)}`
    expect(page).not.toContain('canary-')
    for (const kind of Object.keys(unkept)) expect(page).not.toContain(`"kind":"${kind}"`)
  }
  for (const key of await client.keys('*')) expect(key).not.toContain('canary-')
  const { hits, misses, stale, bypassed } = servers
    .map(app => app.renderer.stats().cache)
    .reduce((sum, one) => ({
      hits: sum.hits + one.hits,
      misses: sum.misses + one.misses,
      stale: sum.stale + one.stale,
      bypassed: sum.bypassed + one.bypassed,
    }))
  expect(hits + misses + stale + bypassed).toBe(REQUESTS)
  expect(hits).toBeGreaterThan(REQUESTS / 10)
}, 120_000)
