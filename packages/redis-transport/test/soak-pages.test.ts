import { seededRandom } from '@scratchyjs/tooling/random'
import { startRedis } from '@scratchyjs/tooling/redis'
import { expect, it, onTestFinished } from 'vitest'
import { createHtmlStore, createRedisClient, type PageKeyParts, pageKey } from '../src/index.js'
import { underLoad } from './render-pool.js'

const requests = Number(process.env.SOAK_REQUESTS ?? 20_000)
const seed = Number(process.env.STRESS_SEED ?? 1)

// Chosen so that a key made by plain concatenation would be the same for many different requests.
const names = ['a', 'b', 'ab', '1', '1:a', '__proto__', 'user', 'constructor', '', 'a=1', '\ud800', '\ufffd']
const routes = ['/', '/a', '/a/', '/a?a=1', '/search', '/ü', '/\ud800', '/\udc00']
const users = Array.from({ length: 40 }, (_, i) => `${i % 2 ? 'user' : 'user:'}${i >> 1}`)

/** The same for two requests exactly if the same page answers both. */
function asked({ route, query, vary, build, host }: PageKeyParts): string {
  const sorted = (values: PageKeyParts['query']) =>
    values && Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([route, sorted(query) ?? 0, sorted(vary) ?? 0, build ?? 0, host ?? 0])
}

it(`I1: ${requests} requests: no user gets another one's page`, { timeout: 3_600_000 }, async ({
  annotate,
}) => {
  const random = seededRandom(seed)
  const one = <T>(values: T[]): T => values[Math.floor(values.length * random())] as T
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = createRedisClient(server.url)
  onTestFinished(() => redis.disconnect())
  const store = createHtmlStore({ redis, ttl: 3600 })
  const generate = (): PageKeyParts => {
    const query = Object.fromEntries(
      Array.from({ length: Math.floor(3 * random()) }, () => [
        one(names),
        random() < 0.3 ? Array.from({ length: Math.floor(3 * random()) }, () => one(names)) : one(names),
      ]),
    )
    return {
      route: one(routes),
      vary: { user: one(users), ...(random() < 0.5 ? { lang: one(['de', 'en']) } : {}) },
      ...(random() < 0.7 ? { query } : {}),
      ...(random() < 0.3 ? { build: one(names) } : {}),
      ...(random() < 0.3 ? { host: one(names) } : {}),
    }
  }
  // Half of them again, so that there is something to be served.
  const popular = Array.from({ length: 2000 }, generate)
  const started = performance.now()
  let strangers = 0
  let foreign = 0
  await underLoad(
    64,
    async () => {
      const parts = random() < 0.5 ? one(popular) : generate()
      const key = pageKey(parts)
      const page = asked(parts)
      const served = await store.get(key)
      if (served === null) {
        await store.set(key, page, { fence: await store.fence(key) })
      } else if (served !== page) {
        strangers += 1
        if (JSON.parse(served)[2].find(([name]: [string]) => name === 'user')[1] !== parts.vary?.user)
          foreign += 1
      }
      if (random() < 0.01) await store.delete(key)
    },
    index => index < requests,
  )
  const seconds = (performance.now() - started) / 1000
  await annotate(
    `seed ${seed}: ${requests} requests in ${seconds.toFixed(1)} s, ${JSON.stringify(store.stats())}; pages of another request ${strangers}, of another user ${foreign}`,
  )
  expect([strangers, foreign]).toEqual([0, 0])
  expect(store.stats().hits).toBeGreaterThan(requests / 10)
  expect(store.stats().misses).toBeGreaterThan(requests / 10)
})
