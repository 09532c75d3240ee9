import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { pageKey } from '@scratchyjs/redis-transport'
import { startRedis } from '@scratchyjs/tooling/redis'
import { askRedis, startCluster } from '@scratchyjs/tooling/redis-topologies'
import { Cluster } from 'ioredis'
import { expect, it, vi } from 'vitest'
import { PageCache } from '../src/page-cache.js'
import type { PageCaching, RedisSource } from '../src/page-cache-options.js'

const worker = new URL('./fixtures/cached.mjs', import.meta.url)
const inCluster = ['+cluster|slots', '+cluster|info']
const log = 'html:{invalidate}:log'

/** The documented text, and its rules. */
const text = await readFile(new URL('../CACHE.md', import.meta.url), 'utf8')
const rules = text.match(/(?<=^ACL SETUSER cache on >\S+ ).*$/m)?.[0].split(' ') ?? []

/** Whether the page was rendered for this. */
async function find(cache: PageCache, route: string, caching: PageCaching, status = 200): Promise<boolean> {
  let isRendered = false
  const render = async () => {
    isRendered = true
    const page = { body: Buffer.from(route), statusCode: status, headers: {}, release() {} }
    return { page, isPersonal: false }
  }
  await cache.find({ key: pageKey({ route }), route, caching: cache.resolve(caching), render })
  return isRendered
}

/** Both keep, share and drop pages. Whether they work as two servers with Redis do. */
async function use(a: PageCache, b: PageCache): Promise<boolean> {
  const [one, other] = [`/${randomUUID()}`, `/${randomUUID()}`]
  await find(a, one, { tags: ['t'] })
  const isShared = !(await find(b, one, { tags: ['t'] }))
  // The page of a route that has none any more is removed.
  const atOnce = { ttl: 1e-6, staleWhileRevalidate: 60 }
  await find(a, other, atOnce)
  await find(a, other, atOnce, 404)
  return isShared
}

interface Site {
  ports: number[]
  stop(): Promise<void>
  open(): { redis: RedisSource; close(): void }
}

const login = { username: 'cache', password: 'secret', disableClientInfo: true }

async function single(args: string[]): Promise<Site> {
  const { port, stop } = await startRedis({ args })
  const redis = { host: '127.0.0.1', port, ...login }
  return { ports: [port], stop, open: () => ({ redis, close() {} }) }
}

async function clustered(args: string[]): Promise<Site> {
  const { nodes, addresses, stop } = await startCluster({ args })
  const open = () => {
    const redis = new Cluster(addresses, { redisOptions: login })
    redis.on('error', () => {})
    return { redis, close: () => redis.disconnect() }
  }
  return { ports: nodes.map(({ port }) => port), stop, open }
}

/** What Redis refuses to the caches, "command get" or "key" and its name, until that is `expected`, or for a while. */
async function refusals(allowed: string[], start: typeof single, expected?: RegExp): Promise<string[]> {
  const { ports, stop, open } = await start(['--user', 'cache', 'on', '>secret', ...allowed])
  const denied = async () => {
    const logs = await Promise.all(ports.map(port => askRedis(port, 'ACL', 'LOG')))
    const entries = logs.join('').matchAll(/reason\r\n\$\d+\r\n(.*)\r\n[\s\S]*?object\r\n\$\d+\r\n(.*)\r\n/g)
    // A name for each connection, which ioredis gives in a cluster and which it does without.
    return Array.from(entries, ([, why, what]) => `${why} ${what}`).filter(it => !it.includes('setname'))
  }
  // A full log: the next message drops the oldest. In a cluster each node but one says that it is not there.
  const full = ['head', '"1 10000 0 e x"']
  await Promise.allSettled(ports.map(port => askRedis(port, 'HSET', log, ...full)))
  const clients = [open(), open()]
  const [a, b] = clients.map(
    ({ redis }) => new PageCache({ redis, redisTimeoutMs: 500 }, worker, () => 0),
  ) as [PageCache, PageCache]
  try {
    if (!expected) {
      await vi.waitFor(async () => expect(await use(a, b)).toBe(true), { timeout: 5000 })
      await a.invalidate({ tags: ['t'] })
      expect(await use(a, b)).toBe(true)
      await delay(1000) // a heartbeat
    }
    const deadline = performance.now() + 2500
    while (expected && performance.now() < deadline && !(await denied()).some(it => expected.test(it))) {
      await use(a, b)
      void a.invalidate({ tags: ['t'] }).catch(() => {})
    }
    await Promise.all([a.close(), b.close()])
    return await denied()
  } finally {
    for (const { close } of clients) close()
    await stop()
  }
}

const refusalOf = (rule: string): RegExp =>
  ({ '~': /^key /, '&': /^channel / })[rule[0] as string] ??
  new RegExp(`^command ${rule.slice(1).replace('|', '\\|')}$`)

it('the documented rights are enough for pages and invalidations, and each is needed', async () => {
  expect(await refusals(rules, single)).toEqual([])
  for (const rule of rules) {
    const others = rules.filter(other => other !== rule)
    const expected = refusalOf(rule)
    expect(await refusals(others, single, expected), rule).toContainEqual(expect.stringMatching(expected))
  }
}, 120_000)

it('so they are in a cluster, with what the text adds', async () => {
  expect(text).toContain(inCluster.join(' '))
  expect(await refusals([...rules, ...inCluster], clustered)).toEqual([])
  for (const [index, rule] of inCluster.entries()) {
    const allowed = [...rules, inCluster[1 - index] as string]
    const expected = refusalOf(rule)
    expect(await refusals(allowed, clustered, expected), rule).toContainEqual(expect.stringMatching(expected))
  }
}, 120_000)
