import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '@scratchyjs/tooling/redis'
import { expect, it, onTestFinished } from 'vitest'
import { createRedisClient } from './client.js'
import { LATE, within } from './deadline.js'

it('a result in time is the result, also an error, and one that is late is none', async () => {
  expect(await within(Promise.resolve(5), 10)).toBe(5)
  await expect(within(Promise.reject(new Error('no')), 10)).rejects.toThrow('no')
  const started = performance.now()
  expect(await within(sleep(1000, 'x', { ref: false }), 30)).toBe(LATE)
  expect(performance.now() - started).toBeLessThan(500)
})

it('I7: an answer that arrived while the thread was busy is not late', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = createRedisClient(server.url)
  onTestFinished(() => redis.disconnect())
  await redis.ping()
  const answer = within(redis.ping(), 20)
  const busyUntil = performance.now() + 100
  while (performance.now() < busyUntil);
  expect(await answer).toBe('PONG')
})
