import { setTimeout as delay } from 'node:timers/promises'
import { createCacheInvalidator, subscribeToCacheInvalidation } from '@scratchyjs/cache-invalidation'
import { startProxy } from '@scratchyjs/tooling/tcp-proxy'
import { Redis } from 'ioredis'

const channel = 'bench:recovery'
const missed = 1000

/**
 * Milliseconds from the connection being ready again until 1,000 missed messages of one key have been handled and the
 * subscription is in step.
 */
export async function inStepAgain(port: number): Promise<number> {
  const subscriber = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 1500 })
  const publisher = new Redis(port, '127.0.0.1')
  subscriber.on('error', () => {})
  const seen = new Set<string>()
  const subscription = subscribeToCacheInvalidation({
    subscriber,
    channel,
    onInvalidate(keys) {
      for (const key of keys) seen.add(key)
    },
  })
  const inStep = async () => {
    while (subscription.status !== 'synchronised') await delay(1)
  }
  try {
    await inStep()
    await publisher.call('CLIENT', 'KILL', 'ID', await subscriber.client('ID'))
    while (subscription.status !== 'degraded') await delay(1)
    const { publish } = createCacheInvalidator({ publisher, channel })
    // An id each, for without one those that wait go out together.
    const run = Math.random().toString(36).slice(2)
    await Promise.all(
      Array.from({ length: missed }, (_, index) => publish([`${index}`], { id: `${run}-${index}` })),
    )
    if (subscriber.status === 'ready') throw new Error('the subscriber was back before all was published')
    const readyAt = await new Promise<number>(resolve =>
      subscriber.once('ready', () => resolve(performance.now())),
    )
    await inStep()
    const taken = performance.now() - readyAt
    if (seen.size !== missed) throw new Error(`in step with ${seen.size} of ${missed} keys`)
    return taken
  } finally {
    await subscription.unsubscribe()
    subscriber.disconnect()
    publisher.disconnect()
  }
}

/** Milliseconds from the moment when nothing passes any more until the subscription says that it is degraded. */
export async function halfOpenNoticed(port: number): Promise<number> {
  const proxy = await startProxy(port)
  const subscriber = new Redis(proxy.port, '127.0.0.1')
  subscriber.on('error', () => {})
  const subscription = subscribeToCacheInvalidation({ subscriber, channel, onInvalidate() {} })
  try {
    while (subscription.status !== 'synchronised') await delay(1)
    // Any moment between two heartbeats.
    await delay(Math.random() * 750)
    proxy.halfOpen(['toServer', 'toClient'])
    const silentAt = performance.now()
    while (subscription.status === 'synchronised') await delay(1)
    return performance.now() - silentAt
  } finally {
    await proxy.close()
    await subscription.unsubscribe()
    subscriber.disconnect()
  }
}
