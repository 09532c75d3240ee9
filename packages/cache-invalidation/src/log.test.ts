import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { appendTo, noLog, readLog, serverTime } from './log.js'
import { encodeKeys, keyMembers } from './message.js'

const channel = 'test'
const limits = { maxLength: 100, ttl: 60 }
let server: RedisServer
let redis: Redis

beforeAll(async () => {
  server = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
  redis = new Redis(server.port, '127.0.0.1')
})
beforeEach(() => redis.flushall())
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

const append = (id: string, { keys = [id], maxLength = 100 } = {}) =>
  appendTo(redis, channel, { ...limits, maxLength })({ members: keyMembers(encodeKeys(keys).json), id })
const numbersOf = (entries: string[]) => entries.map(entry => JSON.parse(entry).sequence)

describe('the log', () => {
  it('is one key with a time to live', async () => {
    await append('a')
    expect(await redis.keys('*')).toEqual(['test:log'])
    expect(await redis.ttl('test:log')).toBe(60)
    await redis.expire('test:log', 20)
    // Once a second.
    let more = 0
    const nextTtl = async () => {
      more += 1
      await append(`b${more}`)
      return redis.ttl('test:log')
    }
    await expect.poll(nextTtl, { timeout: 2500 }).toBe(60)
  })

  it('numbers without gaps, also for many publishers at once', async () => {
    const others = Array.from({ length: 3 }, () => new Redis(server.port, '127.0.0.1'))
    const places = await Promise.all(
      Array.from({ length: 90 }, (_, i) =>
        appendTo(others[i % 3] as Redis, channel, limits)({ members: '"keys":["k"]', id: `id${i}` }),
      ),
    )
    for (const other of others) other.disconnect()
    expect(new Set(places.map(({ epoch }) => epoch)).size).toBe(1)
    expect(places.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 90 }, (_, i) => i + 1),
    )
    expect(numbersOf((await readLog(redis, channel, { since: 0 })).entries)).toHaveLength(90)
  })

  it('publishes what it holds, keys first', async () => {
    const subscriber = new Redis(server.port, '127.0.0.1')
    const published: string[] = []
    subscriber.on('message', (_, message) => published.push(message))
    await subscriber.subscribe(channel)
    const keys = ['ü"\\', '","id":"x"}', '%d']
    const { epoch } = await append('a', { keys })
    await subscriber.ping()
    expect((await readLog(redis, channel, { since: 0 })).entries).toEqual(published)
    expect(published[0]).toMatch(/^\{"keys":\[/)
    expect(JSON.parse(published[0] as string)).toEqual({
      keys,
      epoch,
      sequence: 1,
      at: expect.any(Number),
      id: 'a',
    })
    subscriber.disconnect()
  })

  it('I12: takes an id once: the second time answers with the first place and publishes nothing', async () => {
    const first = await append('a')
    await append('b')
    const subscriber = new Redis(server.port, '127.0.0.1')
    let published = 0
    subscriber.on('message', () => {
      published += 1
    })
    await subscriber.subscribe(channel)
    expect(await append('a')).toEqual(first)
    await subscriber.ping()
    expect(published).toBe(0)
    expect((await readLog(redis, channel, noLog)).head.sequence).toBe(2)
    subscriber.disconnect()
  })

  it('I13: keeps the newest messages, and forgets the ids of the others with them', async () => {
    for (let i = 1; i <= 25; i += 1) await append(`id${i}`, { maxLength: 10, keys: [`","id":"id${i + 1}"}`] })
    const page = await readLog(redis, channel, { since: 0 })
    expect(page).toMatchObject({ first: 16, head: { sequence: 25, id: 'id25' } })
    // 10 messages, 10 ids, head
    expect(await redis.hlen('test:log')).toBe(21)
    expect((await append('id16', { maxLength: 10 })).sequence).toBe(16)
    expect((await append('id15', { maxLength: 10 })).sequence).toBe(26)
  })

  it('shrinks in steps when it may be shorter from now on', async () => {
    const pipeline = redis.pipeline()
    for (let i = 1; i <= 2500; i += 1)
      pipeline.hset('test:log', i, `{"keys":["k"],"id":"id${i}"}`, `i:id${i}`, i)
    await pipeline.hset('test:log', 'head', '1 2500 0 e id2500').exec()
    const firsts: unknown[] = []
    for (const id of ['a', 'b', 'c', 'd']) {
      await append(id, { maxLength: 5 })
      firsts.push(Number.parseInt((await redis.hget('test:log', 'head')) ?? '', 10))
    }
    expect(firsts).toEqual([1001, 2001, 2499, 2500])
    expect(await redis.hlen('test:log')).toBe(11)
  })

  it('begins anew, under another epoch, when it was lost', async () => {
    const { epoch } = await append('a')
    await redis.del('test:log')
    const second = await append('b')
    expect(second.sequence).toBe(1)
    expect(second.epoch).not.toBe(epoch)
  })

  it('takes nothing when its key is of another kind', async () => {
    await redis.set('test:log', 'x')
    await expect(append('a')).rejects.toThrow(/WRONGTYPE/)
    await expect(readLog(redis, channel, noLog)).rejects.toThrow(/WRONGTYPE/)
  })
})

describe('a look at the log', () => {
  it('begins one where there is none, so that its loss shows later', async () => {
    const page = await readLog(redis, channel, { epoch: 'e', sequence: 3, id: 'x' })
    expect(page).toMatchObject({
      server: expect.stringMatching(/^\w{40}$/),
      head: { epoch: expect.stringMatching(/.{36}/), sequence: 0, id: '' },
      first: 1,
      diverged: false,
      entries: [],
    })
    expect(await redis.ttl('test:log')).toBe(86_400)
    const { epoch } = page.head
    expect((await readLog(redis, channel, page.head)).head).toEqual(page.head)
    expect(await append('a')).toEqual({ epoch, sequence: 1 })
    expect(numbersOf((await readLog(redis, channel, page.head)).entries)).toEqual([1])
  })

  it('shows that there is none on a replica, which cannot begin one', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${server.port}`] })
    onTestFinished(() => replica.stop())
    const client = new Redis(replica.port, '127.0.0.1')
    await expect.poll(() => client.info('replication'), { timeout: 10_000 }).toMatch(/master_link_status:up/)
    expect(await readLog(client, channel, { epoch: 'e', sequence: 3, id: 'x' })).toMatchObject({
      server: (await readLog(redis, 'other', noLog)).server,
      head: noLog,
      entries: [],
    })
    await append('a')
    await redis.wait(1, 5000)
    expect(numbersOf((await readLog(client, channel, { since: 0 })).entries)).toEqual([1])
    client.disconnect()
  })

  it('reads on from a place, in pages of bounded size', async () => {
    const { epoch } = await append('id1')
    const long = Array.from({ length: 10 }, (_, i) => `${i}`.padEnd(6000))
    for (let i = 2; i <= 8; i += 1) await append(`id${i}`, { keys: long })
    const from = { epoch, sequence: 1, id: 'id1' }
    const first = await readLog(redis, channel, from)
    expect(numbersOf(first.entries)).toEqual([2, 3, 4, 5, 6])
    expect(first).toMatchObject({ head: { epoch, sequence: 8, id: 'id8' }, diverged: false, after: 1 })
    const second = await readLog(redis, channel, { epoch, sequence: 6, id: 'id6' })
    expect(numbersOf(second.entries)).toEqual([7, 8])
    expect((await readLog(redis, channel, { epoch, sequence: 8, id: 'id8' })).entries).toEqual([])
  })

  it('finds another message, or none, at the place', async () => {
    const { epoch } = await append('a')
    await append('b')
    expect(await readLog(redis, channel, { epoch, sequence: 2, id: 'b' })).toMatchObject({ diverged: false })
    expect(await readLog(redis, channel, { epoch, sequence: 2, id: 'a' })).toMatchObject({ diverged: true })
    expect(await readLog(redis, channel, { epoch, sequence: 1, id: 'c' })).toMatchObject({ diverged: true })
    expect(await readLog(redis, channel, { epoch, sequence: 3, id: 'c' })).toMatchObject({ diverged: true })
  })

  it('reads from a moment on', async () => {
    await append('before')
    await redis.eval(
      "local t = redis.call('TIME') repeat local n = redis.call('TIME') until n[1] ~= t[1] or n[2] - t[2] > 50000",
      0,
    )
    const startedAt = performance.now()
    await append('after')
    await append('later')
    const since = await serverTime(redis, channel, startedAt)
    const page = await readLog(redis, channel, since)
    expect(page).toMatchObject({ after: 1, head: { sequence: 3 } })
    expect(numbersOf(page.entries)).toEqual([2, 3])
    expect(await readLog(redis, channel, { since: since.since + 60_000 })).toMatchObject({
      after: 3,
      entries: [],
    })
  })

  it('says so when the log was trimmed after that moment', async () => {
    const since = await serverTime(redis, channel, performance.now())
    for (let i = 1; i <= 12; i += 1) await append(`id${i}`, { maxLength: 10 })
    const page = await readLog(redis, channel, since)
    expect(page.first).toBeGreaterThan(page.after + 1)
    expect(page.entries).toEqual([])
  })

  it('and the append are sent as hashes, and whole where Redis knows none', async () => {
    await append('a')
    await readLog(redis, channel, noLog)
    await redis.config('RESETSTAT')
    await append('b')
    await readLog(redis, channel, noLog)
    expect(await redis.info('commandstats')).not.toContain('cmdstat_eval:')
    await redis.script('FLUSH')
    expect((await append('c')).sequence).toBe(3)
    expect((await readLog(redis, channel, noLog)).head.sequence).toBe(3)
    expect(await redis.info('commandstats')).toMatch(/cmdstat_eval:calls=2,/)
  })

  it('works under a key prefix, and with numbers as strings', async () => {
    const client = new Redis({ host: '127.0.0.1', port: server.port, keyPrefix: 'app:', stringNumbers: true })
    const { epoch, sequence } = await appendTo(client, channel, limits)({ members: '"keys":["k"]', id: 'a' })
    expect(sequence).toBe(1)
    expect(await redis.keys('*')).toEqual(['app:test:log'])
    expect(await readLog(client, channel, { since: 0 })).toMatchObject({
      head: { epoch, sequence: 1, id: 'a' },
      first: 1,
      after: 0,
    })
    expect(await serverTime(client, channel, performance.now())).toEqual({
      since: expect.closeTo(Date.now(), -4),
    })
    client.disconnect()
  })
})
