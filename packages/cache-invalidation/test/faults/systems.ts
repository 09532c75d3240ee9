import { randomUUID } from 'node:crypto'
import {
  type CoherentCache,
  DEFAULT_CACHE_INVALIDATION_CHANNEL as channel,
  createCacheInvalidator,
  createCoherentCache,
  subscribeToCacheInvalidation,
} from '../../src/index.js'
import type { System } from './cache-node.js'
import { connect } from './clients.js'
import { naive } from './naive.js'
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
        if (defect === 'ignores flushes') return
        flushes.push(reason)
        handled.flush()
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
          entries: cache ? peekAll(cache, asked) : handled.entries(),
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

function peekAll(cache: CoherentCache<number>, keys: Iterable<string>): [string, number][] {
  return [...keys].flatMap(key => {
    const version = cache.peek(key)
    return version === undefined ? [] : [[key, version] satisfies [string, number]]
  })
}

/** What can be tested by name; the first one by default. */
export const systems: readonly System[] = [scratchyjs(), naive, ...defects.map(scratchyjs)]
