import { freePort, startRedis } from '@scratchyjs/tooling/redis'
import { expect, it, onTestFinished } from 'vitest'
import { createRedisClient } from './client.js'
import { Connection, type ConnectionState } from './connection.js'

it('I7: a connection is opening once, and lost until it is ready again', async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const redis = createRedisClient({ host: '127.0.0.1', port: server.port, retryStrategy: () => 10 })
  onTestFinished(() => redis.disconnect())
  const connection = Connection.of(redis)
  expect(Connection.of(redis)).toBe(connection)
  const seen = new Map<string, Set<ConnectionState>>()
  let phase = 'first'
  const look = () => seen.set(phase, (seen.get(phase) ?? new Set()).add(connection.state))
  for (const event of ['connecting', 'connect', 'reconnecting', 'end']) redis.on(event, look)
  look()
  const opened = connection.opened()
  expect(connection.opened()).toBe(opened)
  await opened
  expect(connection.state).toBe('ready')

  phase = 'again'
  let attempts = 0
  redis.on('connecting', () => {
    attempts += 1
  })
  await server.stop()
  await expect.poll(() => attempts).toBeGreaterThan(2)
  expect(connection.state).toBe('lost')
  const restarted = await startRedis({ port: server.port })
  onTestFinished(() => restarted.stop())
  await expect.poll(() => connection.state, { timeout: 5000 }).toBe('ready')
  redis.disconnect()
  await expect.poll(() => connection.state).toBe('lost')
  expect(seen).toEqual(
    new Map([
      ['first', new Set(['opening'])],
      ['again', new Set(['lost'])],
    ]),
  )
})

it('I7: a first connection that fails is lost, and nobody waits for the next', async () => {
  const redis = createRedisClient({ host: '127.0.0.1', port: await freePort() })
  const connection = Connection.of(redis)
  await connection.opened()
  expect(connection.state).toBe('lost')
  // Against a closed port that takes less than a millisecond.
  const seen = await new Promise(resolve => {
    redis.once('connecting', () => resolve([redis.status, connection.state]))
  })
  expect(seen).toEqual(['connecting', 'lost'])
  redis.disconnect()
})
