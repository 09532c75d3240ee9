import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createSSRHandler } from '@scratchyjs/renderer'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import { freePort, type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { askRedis, type RedisCluster, startCluster } from '@scratchyjs/tooling/redis-topologies'
import Fastify, { type FastifyInstance } from 'fastify'
import { Cluster, Redis } from 'ioredis'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

let cluster: RedisCluster
let folder: string
let source: string
const stops: (() => unknown)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-cache-'))
  stops.push(() => rm(folder, { recursive: true }))
  source = join(folder, 'source')
  await writeFile(source, '1')
  cluster = await startCluster()
  stops.push(() => cluster.stop())
})

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

async function serve(scaleReads: 'master' | 'slave' = 'master'): Promise<FastifyInstance> {
  const redis = new Cluster(cluster.addresses, { scaleReads })
  redis.on('error', () => {})
  const app = Fastify()
  await app.register(rendererPlugin, {
    worker: new URL('./fixtures/cached.mjs', import.meta.url),
    maxThreads: 1,
    cache: { redis, redisTimeoutMs: 3000, maxStaleMs: 0 },
  })
  app.get('/page/:n', createSSRHandler({ getProps: () => ({ source }), cache: { tags: ['t'] } }))
  app.get('/slow/:n', createSSRHandler({ getProps: () => ({ source, ms: 300 }), cache: { tags: ['t'] } }))
  await app.ready()
  stops.push(async () => {
    await app.close()
    expect(redis.status).toBe('ready') // it stays its owner's
    redis.disconnect()
  })
  return app
}

/** Until a page that one of them renders comes to the other through Redis. */
async function inStep(one: FastifyInstance, other: FastifyInstance): Promise<void> {
  await vi.waitFor(
    async () => {
      const path = `/page/${randomUUID()}`
      await one.inject(path)
      const { renders } = other.renderer.stats()
      await other.inject(path)
      expect(other.renderer.stats().renders).toBe(renders)
    },
    { timeout: 15_000 },
  )
}

const versionOf = async (app: FastifyInstance, path: string) =>
  JSON.parse((await app.inject(path)).body).version

/** The names in each of the masters, and whether all of them end some day. */
async function keysByNode(): Promise<string[][]> {
  return Promise.all(
    cluster.nodes.map(async ({ port }) => {
      const node = new Redis(port, '127.0.0.1')
      const keys = await node.keys('*')
      for (const key of keys) expect([key, (await node.ttl(key)) > 0]).toEqual([key, true])
      node.disconnect()
      return keys
    }),
  )
}

it('servers share the pages of a cluster, on all of its masters, and render each once', async () => {
  const [a, b] = await Promise.all([serve(), serve()])
  await inStep(a, b)
  const renders = () => a.renderer.stats().renders + b.renderer.stats().renders
  const before = renders()
  const paths = Array.from({ length: 30 }, (_, n) => `/page/${n}`)
  const answers = await Promise.all(paths.flatMap(path => [a.inject(path), b.inject(path)]))
  for (const { statusCode } of answers) expect(statusCode).toBe(200)
  expect(renders() - before).toBe(30)
  const nodes = await keysByNode()
  const isOfPage = (key: string) => /\{[\w-]{43}\}/.test(key)
  for (const keys of nodes) expect(keys.some(isOfPage)).toBe(true)
  // With the log, whose server is watched, are all generations.
  expect(nodes.filter(keys => !keys.every(isOfPage))).toHaveLength(1)
})

it('an invalidation in a cluster is never undone, by late renders neither', async () => {
  const [a, b] = await Promise.all([serve(), serve()])
  await inStep(a, b)
  for (let version = 2; version < 8; version++) {
    await Promise.all([a.inject('/page/0'), b.inject('/page/1')])
    const slow = [`/slow/${version}a`, `/slow/${version}b`] as const
    const late = [a.inject(slow[0]), b.inject(slow[1])]
    await vi.waitFor(() => {
      for (const app of [a, b]) expect(app.renderer.stats().workers.active).toBe(1)
    })
    await delay(30) // the source has been read
    await writeFile(source, `${version}`)
    const [one, other] = version % 2 ? [a, b] : [b, a]
    await one.renderer.invalidate({ tags: ['t'] })
    for (const n of [0, 1]) expect(await versionOf(one, `/page/${n}`)).toBe(`${version}`)
    await vi.waitFor(async () => expect(await versionOf(other, '/page/0')).toBe(`${version}`))
    await Promise.all(late)
    for (const app of [a, b]) {
      for (const path of slow) expect(await versionOf(app, path)).toBe(`${version}`)
    }
  }
})

/** The master that keeps the log, and a new replica of it. */
async function withReplica(): Promise<{ master: RedisServer; replica: RedisServer }> {
  const [{ port: any }] = cluster.nodes as [RedisServer]
  const slot = Number((await askRedis(any, 'CLUSTER', 'KEYSLOT', 'html:{invalidate}:log')).slice(1))
  const master = cluster.nodes[Math.floor((slot * 3) / 16_384)] as RedisServer
  const id = (await askRedis(master.port, 'CLUSTER', 'MYID')).slice(-40)
  const bus = `${await freePort()}`
  const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', bus]
  const replica = await startRedis({ args: [...options, '--repl-diskless-sync-delay', '0'] })
  stops.push(() => replica.stop())
  await askRedis(any, 'CLUSTER', 'MEET', '127.0.0.1', `${replica.port}`, bus)
  const ask = (...words: string[]) => askRedis(replica.port, ...words)
  await vi.waitFor(() => ask('CLUSTER', 'REPLICATE', id), { timeout: 10_000 })
  await vi.waitFor(async () => expect(await ask('INFO', 'replication')).toContain('link_status:up'), {
    timeout: 10_000,
  })
  await vi.waitFor(
    async () => {
      for (const { port } of cluster.nodes) {
        expect(await askRedis(port, 'CLUSTER', 'SLOTS')).toContain(`:${replica.port}\r\n`)
      }
    },
    { timeout: 10_000 },
  )
  return { master, replica }
}

it('what a failover forgets is not served again, nor what a replica has not heard of', async () => {
  const { master, replica } = await withReplica()
  const [a, b] = await Promise.all([serve('slave'), serve('slave')])
  await inStep(a, b)
  const paths = Array.from({ length: 20 }, (_, n) => `/page/${n}`)
  for (const path of paths) expect(await versionOf(a, path)).toBe('1')
  // The replica hears of nothing from here on.
  await askRedis(master.port, 'ACL', 'SETUSER', 'default', '-psync', '-sync')
  await askRedis(master.port, 'CLIENT', 'KILL', 'TYPE', 'replica')
  await writeFile(source, '2')
  await a.renderer.invalidate({ tags: ['t'] })
  for (const path of paths) expect(await versionOf(b, path)).toBe('2')

  await writeFile(source, '3')
  const generation = (port: number) => askRedis(port, 'GET', 'html:{invalidate}:tag:')
  const before = await generation(master.port)
  master.signal('SIGKILL')
  const answers = await Promise.all(paths.map(path => b.inject(path)))
  for (const { statusCode } of answers) expect(statusCode).toBe(200)
  await askRedis(replica.port, 'CLUSTER', 'FAILOVER', 'TAKEOVER')
  await vi.waitFor(async () => expect(await generation(replica.port)).not.toBe(before), { timeout: 15_000 })
  const c = await serve()
  await inStep(a, c)
  for (const path of paths) expect(await versionOf(c, path)).toBe('3')
}, 60_000)
