import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { closeClient } from './close-client.js'
import { checkClient } from './options.js'
import { outageLog } from './outage-log.js'
import { type CacheSubscriptionOptions, subscribeToCacheInvalidation } from './subscribe.js'
import type { CacheSubscription } from './subscription.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The subscription of this server: whether it is in step, for a health check. */
    cacheSubscription: CacheSubscription
  }
}

/** The subscriber is the plugin's from now on: it ends with the server. */
export type SubscriberPluginOptions = CacheSubscriptionOptions

const plugin: FastifyPluginAsync<SubscriberPluginOptions> = async (fastify, options) => {
  checkClient('subscriber', options.subscriber)
  const subscription = subscribeToCacheInvalidation({
    ...options,
    onError: options.onError ?? outageLog(options.subscriber, fastify.log),
  })
  fastify.addHook('onClose', async () => {
    await Promise.all([subscription.unsubscribe(), closeClient(options.subscriber)])
  })
  fastify.decorate('cacheSubscription', subscription)
}

/**
 * Subscribes the server to stale keys, and decorates Fastify with `cacheSubscription`. Boots without
 * waiting for Redis. Without `onError` errors go to Fastify's log, as warnings. On close it
 * unsubscribes and quits the client, within 1 s.
 */
const subscriberPlugin: FastifyPluginAsync<SubscriberPluginOptions> = fp(plugin, {
  name: '@scratchyjs/cache-invalidation/subscriber-plugin',
  fastify: '5.x',
})

export default subscriberPlugin
