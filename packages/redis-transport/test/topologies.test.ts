import { readFile } from 'node:fs/promises'
import { startRedis } from '@scratchyjs/tooling/redis'
import { askRedis, startCluster, startSentinel, startTlsRedis } from '@scratchyjs/tooling/redis-topologies'
import { Cluster, type Redis } from 'ioredis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  createHtmlStore,
  createRedisClient,
  createRedisTransport,
  pageKey,
  type RedisTransport,
  type RenderEnvelope,
} from '../src/index.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})
const context = { route: '/a', props: { x: 'ü' } }
// A cluster node is connected to by its first command, which takes longer than an answer.
const breaker = { timeoutMs: 2000, resetMs: 200 }

async function goesThrough(transport: RedisTransport, rounds = 1): Promise<void> {
  for (let i = 0; i < rounds; i += 1) {
    const envelope = await transport.send(context)
    expect(envelope).toEqual({ requestId: expect.any(String) })
    expect(await transport.receive(envelope)).toEqual(context)
    await expect(transport.receive(envelope)).rejects.toMatchObject({ code: 'CONTEXT_MISSING' })
  }
}

async function storesPages(redis: Redis | Cluster, pages = 1): Promise<void> {
  const store = createHtmlStore({ redis })
  for (let i = 0; i < pages; i += 1) {
    const key = pageKey({ route: `/${i}` })
    const fence = await store.fence(key)
    expect(await store.set(key, `page ${i}`, { fence })).toBe(true)
    expect(await store.get(key)).toBe(`page ${i}`)
    await store.delete(key)
    expect(await store.set(key, 'old', { fence })).toBe(false)
    expect(await store.set(key, 'plain')).toBe(true)
  }
  const fence = await store.fence(pageKey({ route: '/0' }))
  await store.clear()
  for (let i = 0; i < pages; i += 1) expect(await store.get(pageKey({ route: `/${i}` }))).toBe(null)
  expect(await store.set(pageKey({ route: '/0' }), 'old', { fence })).toBe(false)
}

describe('a cluster of three', () => {
  it('carries contexts and keeps pages on all of its masters', async () => {
    const { nodes, addresses, stop } = await startCluster()
    stops.push(stop)
    const cluster = new Cluster(addresses, { lazyConnect: true })
    stops.push(() => cluster.disconnect())
    await goesThrough(createRedisTransport({ redis: cluster, breaker }), 50)
    await storesPages(cluster, 50)
    for (const { port } of nodes) {
      expect(await askRedis(port, 'INFO', 'commandstats')).toMatch(/cmdstat_getdel:calls=\d+/)
      expect(await askRedis(port, 'DBSIZE')).toBe(':0')
    }
    const other = new Cluster(addresses, { lazyConnect: true })
    stops.push(() => other.disconnect())
    await createHtmlStore({ redis: cluster }).set(pageKey({ route: '/' }), 'x')
    // Before it knows any master: it must not take that for a cluster without pages.
    await createHtmlStore({ redis: other }).clear()
    for (const { port } of nodes) expect(await askRedis(port, 'DBSIZE')).toBe(':0')
  })

  it('that loses one master, or stops answering, holds no context up', async ({ annotate }) => {
    const { nodes, addresses, stop } = await startCluster({
      args: ['--cluster-require-full-coverage', 'no'],
    })
    stops.push(stop)
    const cluster = new Cluster(addresses)
    stops.push(() => cluster.disconnect())
    cluster.on('error', () => {})
    await goesThrough(createRedisTransport({ redis: cluster, breaker }), 30)
    const transport = createRedisTransport({ redis: cluster, breaker: { resetMs: 200 } })
    nodes[1]?.signal('SIGKILL')
    const times: number[] = []
    const envelopes: RenderEnvelope[] = []
    for (let i = 0; i < 200; i += 1) {
      const started = performance.now()
      envelopes.push(await transport.send(context))
      times.push(performance.now() - started)
    }
    await annotate(
      `one of three lost: ${JSON.stringify(transport.stats().sent)}, worst ${Math.max(...times)} ms`,
    )
    expect(times.toSorted((a, b) => a - b)[180]).toBeLessThan(200)
    for (const envelope of envelopes) {
      const received = await transport
        .receive(envelope)
        .catch(() => transport.receive(transport.payload(context)))
      expect(received).toEqual(context)
    }
    for (const node of nodes) node.signal('SIGKILL')
    const all = createRedisTransport({ redis: cluster, breaker: { resetMs: 60_000 } })
    for (let i = 0; i < 20; i += 1) expect(await all.send(context)).toHaveProperty('payload')
  })
})

describe('a master with a sentinel', () => {
  it('is followed when another becomes master, and no context is lost meanwhile', async ({ annotate }) => {
    const group = await startSentinel()
    stops.push(group.stop)
    const redis = createRedisClient({
      name: group.name,
      sentinels: group.sentinels,
      sentinelRetryStrategy: () => 50,
    })
    stops.push(() => redis.disconnect())
    await redis.ping()
    const transport = createRedisTransport({ redis, breaker: { resetMs: 200 } })
    await goesThrough(createRedisTransport({ redis, breaker }), 5)
    await storesPages(redis)

    let isOver = false
    let failed = 0
    const failover = group.failover().finally(() => {
      isOver = true
    })
    while (!isOver) {
      const envelope = await transport.send(context)
      const received = await transport
        .receive(envelope)
        .catch(() => transport.receive(transport.payload(context)))
      if (JSON.stringify(received) !== JSON.stringify(context)) failed += 1
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    await failover
    await annotate(`during the fail-over: ${JSON.stringify(transport.stats().sent)}`)
    expect(failed).toBe(0)
    await expect
      .poll(async () => Object.keys(await transport.send(context)), { timeout: 15_000 })
      .toEqual(['requestId'])
    await goesThrough(createRedisTransport({ redis, breaker }), 5)
    await storesPages(redis)
    expect(redis.options.role ?? 'master').toBe('master')
  })
})

it('a server with TLS is used by those that trust it', async () => {
  const server = await startTlsRedis()
  stops.push(server.stop)
  const { port, ca } = server
  const redis = createRedisClient({ host: '127.0.0.1', port, tls: { ca } })
  stops.push(() => redis.disconnect())
  await goesThrough(createRedisTransport({ redis, breaker }), 3)
  await storesPages(redis)
  const distrustful = createRedisClient(server.url)
  stops.push(() => distrustful.disconnect())
  const transport = createRedisTransport({ redis: distrustful, breaker })
  expect(await transport.send(context)).toHaveProperty('payload')
  await expect(createHtmlStore({ redis: distrustful }).get(pageKey({ route: '/' }))).rejects.toMatchObject({
    code: 'REDIS_UNAVAILABLE',
  })
})

/** The rules of a role, as the README has them. */
async function rulesOf(role: string): Promise<string[]> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const rules = readme.match(new RegExp(`^ACL SETUSER ${role} on >\\S+ (.*)$`, 'm'))?.[1]
  return (rules as string).split(' ')
}

/** What each role does; the others do their part with all rights. */
const roles: Record<string, (redis: Redis | Cluster, all: Redis | Cluster) => Promise<void>> = {
  async sender(redis, all) {
    const sender = createRedisTransport({ redis, breaker })
    const envelope = await sender.send(context)
    expect(envelope).toHaveProperty('requestId')
    expect(await createRedisTransport({ redis: all, breaker }).receive(envelope)).toEqual(context)
    const unused = await sender.send(context)
    await sender.discard(unused)
    await expect(createRedisTransport({ redis: all, breaker }).receive(unused)).rejects.toMatchObject({
      code: 'CONTEXT_MISSING',
    })
  },
  async worker(redis, all) {
    const envelope = await createRedisTransport({ redis: all, breaker }).send(context)
    expect(await createRedisTransport({ redis, breaker }).receive(envelope)).toEqual(context)
  },
  async pages(redis) {
    await storesPages(redis)
  },
}
const inCluster = ['+cluster|slots', '+cluster|info']

describe.each(Object.keys(roles))('the ACL of the %s', role => {
  const play = roles[role] as (typeof roles)[string]

  /**
   * Plays the role under such rules. `isDone`: without an error or a warning; `denied`: what is in Redis' log of refused
   * commands, "command get" or "key" and its name.
   */
  async function playWith(
    rules: string[],
    topology: 'one' | 'cluster' = 'one',
  ): Promise<{ isDone: boolean; denied: string[] }> {
    const args = ['--user', role, 'on', '>secret', ...rules]
    const isCluster = topology === 'cluster'
    const { stop, addresses } = isCluster
      ? await startCluster({ args })
      : await startRedis({ args }).then(({ port, stop }) => ({
          stop,
          addresses: [{ host: '127.0.0.1', port }],
        }))
    const open = (login: object) => {
      const options = { ...login, maxRetriesPerRequest: 0, disableClientInfo: true }
      return isCluster
        ? new Cluster(addresses, { redisOptions: options, lazyConnect: true, clusterRetryStrategy: null })
        : createRedisClient({ ...addresses[0], ...options })
    }
    const [redis, all] = [open({ username: role, password: 'secret' }), open({})]
    redis.on('error', () => {})
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const isPlayed = await play(redis, all).then(
      () => true,
      () => false,
    )
    // ioredis goes on without INFO, but says each time that it can't tell whether Redis is still loading.
    const isDone = isPlayed && warn.mock.calls.length === 0
    warn.mockRestore()
    redis.disconnect()
    all.disconnect()
    const logs = await Promise.all(addresses.map(({ port }) => askRedis(port, 'ACL', 'LOG')))
    await stop()
    const entries = logs.join('').matchAll(/reason\r\n\$\d+\r\n(.*)\r\n[\s\S]*?object\r\n\$\d+\r\n(.*)\r\n/g)
    const denied = Array.from(entries, ([, reason, object]) => `${reason} ${object}`)
    // A name for each connection, which ioredis gives in a cluster and which it does without.
    return { isDone, denied: denied.filter(name => name !== 'command client|setname') }
  }

  const refusal = (rule: string): RegExp =>
    rule.startsWith('+') ? new RegExp(`^command ${rule.slice(1).replace('|', '\\|')}$`) : /^key /

  it('is enough, and everything in it is needed', async () => {
    const rules = await rulesOf(role)
    expect(rules).toContain('+info')
    expect(await playWith(rules)).toEqual({ isDone: true, denied: [] })
    for (const rule of rules) {
      const { isDone, denied } = await playWith(rules.filter(other => other !== rule))
      expect(isDone, `without ${rule}`).toBe(false)
      expect(denied).toContainEqual(expect.stringMatching(refusal(rule)))
    }
  })

  it('is enough for a cluster with what the README adds', { timeout: 60_000 }, async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    expect(readme).toContain(inCluster.join(' '))
    const rules = [...(await rulesOf(role)), ...inCluster]
    expect(await playWith(rules, 'cluster')).toEqual({ isDone: true, denied: [] })
    for (const rule of inCluster) {
      const { isDone, denied } = await playWith(
        rules.filter(other => other !== rule),
        'cluster',
      )
      expect(isDone, `without ${rule}`).toBe(false)
      expect(denied).toContainEqual(expect.stringMatching(refusal(rule)))
    }
  })
})
