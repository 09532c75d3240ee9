import { seededRandom } from '@scratchyjs/tooling/random'
import { startRedis } from '@scratchyjs/tooling/redis'
import { expect, it, onTestFinished } from 'vitest'
import { createRedisClient, createRedisTransport } from '../src/index.js'
import { startPool, underLoad } from './render-pool.js'

const renders = Number(process.env.SOAK_RENDERS ?? 3000)
const seed = Number(process.env.STRESS_SEED ?? 1)

it(`I4: ${renders} renders, threads killed at random: each key has a time to live`, {
  timeout: 3_600_000,
}, async ({ annotate }) => {
  const random = seededRandom(seed)
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const address = { host: '127.0.0.1', port: server.port }
  const redis = createRedisClient(address)
  onTestFinished(() => redis.disconnect())
  await redis.connect()
  const transport = createRedisTransport({ redis })
  const pool = await startPool(transport, address)
  const started = performance.now()
  let wrong = 0
  let again = 0
  let terminated = 0
  let deaths = 0
  let nextTermination = 100
  const terminateOne = async () => {
    // Piscina replaces no thread that ends while it starts.
    const grown = pool.piscina.threads.filter(({ threadId }) => pool.rendered.has(threadId))
    const victim = grown[Math.floor(grown.length * random())]
    if (!victim) return
    pool.rendered.delete(victim.threadId)
    terminated += 1
    await victim.terminate()
  }
  await underLoad(
    16,
    async index => {
      const name = `reader ${index}`
      // A server that dies after it has sent: nobody takes this one, and nobody deletes it.
      if (random() < 0.01) await transport.send({ route: '/', props: { name } })
      if (index >= nextTermination) {
        nextTermination = index + 100 + Math.floor(800 * random())
        await terminateOne()
      }
      const dies = random() < 0.001
      let html: string | undefined
      for (let attempt = 0; html === undefined; attempt += 1) {
        const props = { name, ...(dies && attempt === 0 ? { dies } : {}) }
        html = await pool.render({ route: '/', props }).catch(() => undefined)
        if (html !== undefined) break
        if (dies && attempt === 0) deaths += 1
        else again += 1
        if (attempt > 100) throw new Error('no thread comes back')
      }
      if (html !== `<h1>${name}</h1>`) wrong += 1
    },
    index => index < renders,
  )
  const seconds = (performance.now() - started) / 1000
  await pool.close()
  let keys = 0
  const eternal: string[] = []
  for await (const names of redis.scanStream({ count: 1000 }) as AsyncIterable<string[]>)
    for (const name of names) {
      keys += 1
      if ((await redis.ttl(name)) === -1) eternal.push(name)
    }
  await annotate(
    `seed ${seed}: ${renders} renders in ${seconds.toFixed(1)} s, ${terminated} threads terminated, ${deaths} ended by a render, ${again} tried again; wrong ${wrong}; keys left ${keys}, without a TTL ${eternal.length}; ${JSON.stringify(transport.stats().sent)}`,
  )
  expect(wrong).toBe(0)
  expect(terminated).toBeGreaterThan(0)
  expect(transport.stats().sent.redis).toBeGreaterThan(renders / 2)
  expect(keys).toBeGreaterThan(0)
  expect(eternal).toEqual([])
})
