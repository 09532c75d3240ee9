// By how many bytes the heap grows while 1,000,000 keys are published and handled: prints a number. Run in a process of
// its own, with --expose-gc, with a port of Redis.
import { createCacheInvalidator, subscribeToCacheInvalidation } from '@scratchyjs/cache-invalidation'
import { Redis } from 'ioredis'

const port = Number(process.argv[2])
const [warmUp, measured, outstanding] = [200_000, 1_000_000, 1000]
const channel = 'bench:heap'
let handled = 0
const [publisher, subscriber] = [new Redis(port, '127.0.0.1'), new Redis(port, '127.0.0.1')]
const subscription = subscribeToCacheInvalidation({
  subscriber,
  channel,
  onInvalidate: keys => {
    handled += keys.length
  },
  onFlush: reason => {
    throw new Error(`flushed: ${reason}`)
  },
})
const { publish } = createCacheInvalidator({ publisher, channel })
let published = 0

async function settledHeap(upTo: number): Promise<number> {
  await Promise.all(
    Array.from({ length: outstanding }, async () => {
      while (published < upTo) {
        published += 1
        await publish([`page:${published}`])
      }
    }),
  )
  while (handled < upTo) await new Promise(setImmediate)
  for (let i = 0; i < 5; i += 1) {
    await new Promise(resolve => setTimeout(resolve, 20))
    globalThis.gc?.()
  }
  return process.memoryUsage().heapUsed
}

while (subscription.status !== 'synchronised') await new Promise(resolve => setTimeout(resolve, 5))
const before = await settledHeap(warmUp)
const after = await settledHeap(warmUp + measured)
console.log(after - before)
await subscription.unsubscribe()
publisher.disconnect()
subscriber.disconnect()
