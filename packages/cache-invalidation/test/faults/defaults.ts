import { setTimeout as delay } from 'node:timers/promises'
import { startRedis } from '@scratchyjs/tooling/redis'
import { startProxy } from '@scratchyjs/tooling/tcp-proxy'
import { Redis } from 'ioredis'
import { createCacheInvalidator, subscribeToCacheInvalidation } from '../../src/index.js'

/** Times of a subscriber with default settings, in milliseconds; the longest of several. */
export interface DefaultTimes {
  rounds: number
  /** From the moment the connection is half open until the status says so. */
  halfOpenNoticedMs: number
  /** The same, until it is in step again. */
  halfOpenMendedMs: number
  /** From the new connection being ready until it is in step, with 1000 messages missed. */
  inStepAfterThousandMs: number
}

/** How fast a subscriber is with the heartbeat and the client's waits as they are by default. */
export async function measureDefaults(rounds: number): Promise<DefaultTimes> {
  const times: DefaultTimes = { rounds, halfOpenNoticedMs: 0, halfOpenMendedMs: 0, inStepAfterThousandMs: 0 }
  const halfOpen = Array.from({ length: rounds }, async (_, round) => {
    const { noticed, mended } = await mendHalfOpen((750 * round) / rounds)
    times.halfOpenNoticedMs = Math.max(times.halfOpenNoticedMs, noticed)
    times.halfOpenMendedMs = Math.max(times.halfOpenMendedMs, mended)
  })
  await Promise.all(halfOpen)
  for (let round = 0; round < rounds; round += 1)
    times.inStepAfterThousandMs = Math.max(times.inStepAfterThousandMs, await replayThousand())
  return times
}

/** A server, a publisher, and a subscriber of RESP3 behind a proxy, in step. */
async function startSubscriber() {
  const server = await startRedis()
  const proxy = await startProxy(server.port)
  const publisher = new Redis({ host: '127.0.0.1', port: server.port })
  const subscriber = new Redis({ host: '127.0.0.1', port: proxy.port })
  subscriber.on('error', () => {})
  let keys = 0
  const subscription = subscribeToCacheInvalidation({
    subscriber,
    onInvalidate(invalid) {
      keys += invalid.length
    },
  })
  const until = async (isIn: boolean) => {
    while ((subscription.status === 'synchronised') !== isIn) await delay(1)
  }
  await until(true)
  return {
    proxy,
    subscriber,
    publish: createCacheInvalidator({ publisher }).publish,
    inStep: () => until(true),
    outOfStep: () => until(false),
    keys: () => keys,
    async stop() {
      await subscription.unsubscribe()
      subscriber.disconnect()
      publisher.disconnect()
      await proxy.close()
      await server.stop()
    },
  }
}

/** @param afterMs so that it happens at different moments between two heartbeats */
async function mendHalfOpen(afterMs: number): Promise<{ noticed: number; mended: number }> {
  const { proxy, inStep, outOfStep, stop } = await startSubscriber()
  await delay(afterMs)
  const began = performance.now()
  proxy.halfOpen(['toServer', 'toClient'])
  await outOfStep()
  const noticed = performance.now() - began
  await inStep()
  const mended = performance.now() - began
  await stop()
  return { noticed, mended }
}

async function replayThousand(): Promise<number> {
  const { proxy, subscriber, publish, inStep, outOfStep, keys, stop } = await startSubscriber()
  proxy.refuse(true)
  proxy.cut()
  await outOfStep()
  // One after the other: what waits together would be one message.
  for (let i = 0; i < 1000; i += 1) await publish([`key${i}`])
  let ready = 0
  subscriber.once('ready', () => {
    ready = performance.now()
  })
  proxy.refuse(false)
  await inStep()
  const took = performance.now() - ready
  if (keys() !== 1000) throw new Error(`${keys()} of 1000 keys were there when it was in step`)
  await stop()
  return took
}
