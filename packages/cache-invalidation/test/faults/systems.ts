import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import {
  createCacheInvalidator,
  createCoherentCache,
  DEFAULT_CACHE_INVALIDATION_CHANNEL as channel,
  subscribeToCacheInvalidation,
} from '../../src/index.js'
import type { NodeOptions, System } from './cache-node.js'
import { connect } from './clients.js'
import { VersionCache } from './version-cache.js'

/** A deliberate mistake, to see that it is found. */
export type Defect = (typeof defects)[number]

const defects = [
  'ignores replay',
  'ignores flushes',
  'flushes on every reconnect',
  'has no fence',
  'repeats under another id',
] as const

/** This package, as users have it; or with a defect. */
export function scratchyjs(defect?: Defect): System {
  return {
    name: defect ? `scratchyjs that ${defect}` : 'scratchyjs',
    channel,
    async open(options) {
      const { address, protocol, heartbeat, maxLength, maxQueuedKeys, commandTimeout } = options
      const subscriber = connect(address, { protocol })
      const publisher = connect(address, commandTimeout === undefined ? {} : { commandTimeout })
      const cache = options.usesHandlers || defect ? undefined : createCoherentCache<number>({ max: 1000 })
      const handled = new VersionCache(defect !== 'has no fence')
      const flushes: string[] = []
      const flush = (reason: string) => {
        flushes.push(reason)
        if (defect !== 'ignores flushes') handled.flush()
      }
      const subscription = subscribeToCacheInvalidation({
        subscriber,
        heartbeat,
        onInvalidate(keys) {
          if (defect !== 'ignores replay' || subscription.status === 'synchronised') handled.invalidate(keys)
        },
        onFlush: flush,
        ...(cache && { cache }),
      })
      if (defect === 'flushes on every reconnect') subscriber.on('ready', () => flush('reconnect'))
      const invalidator = createCacheInvalidator({
        publisher,
        log: { maxLength },
        queue: { maxKeys: maxQueuedKeys },
      })
      const asked = new Set<string>()
      const held = (key: string) => cache?.peek(key)
      return {
        getOrLoad(key, load) {
          asked.add(key)
          return (cache ?? handled).getOrLoad(key, load)
        },
        async invalidate(keys) {
          if (defect !== 'repeats under another id') return invalidator.publish(keys)
          return invalidator
            .publish(keys, { id: randomUUID(), timeoutMs: 40 })
            .catch(() => invalidator.publish(keys))
        },
        look: async () => ({
          inStep: subscription.status === 'synchronised',
          entries: cache
            ? [...asked].flatMap(key => {
                const version = held(key)
                return version === undefined ? [] : ([[key, version]] as [string, number][])
              })
            : handled.entries(),
          flushes: [...flushes],
        }),
        async close() {
          await subscription.unsubscribe()
          await invalidator.close({ timeoutMs: 100 })
          subscriber.disconnect()
          publisher.disconnect()
        },
      }
    },
  }
}

/** What many do: PUBLISH, SUBSCRIBE, and a Map. ioredis reconnects and subscribes again by itself. */
export const naive: System = {
  name: 'naive',
  channel,
  async open({ address, commandTimeout }: NodeOptions) {
    const cache = new VersionCache(false)
    const subscriber = connect(address) as Redis
    const publisher = connect(address, commandTimeout === undefined ? {} : { commandTimeout })
    subscriber.on('message', (_, message) => cache.invalidate(JSON.parse(message).keys))
    await subscriber.subscribe(channel)
    return {
      getOrLoad: (key, load) => cache.getOrLoad(key, load),
      invalidate: keys => publisher.publish(channel, JSON.stringify({ keys })),
      async close() {
        subscriber.disconnect()
        publisher.disconnect()
      },
    }
  },
}

/** What can be tested by name; the first one by default. */
export const systems: readonly System[] = [scratchyjs(), naive, ...defects.map(scratchyjs)]
