import type { Redis } from 'ioredis'
import { DEFAULT_CACHE_INVALIDATION_CHANNEL as channel } from '../../src/index.js'
import type { NodeOptions, System } from './cache-node.js'
import { connect } from './clients.js'
import { VersionCache } from './version-cache.js'

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
