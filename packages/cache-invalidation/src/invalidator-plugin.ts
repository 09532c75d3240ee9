import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { closeClient, closeTimeout } from './close-client.js'
import { type CacheInvalidatorOptions, createCacheInvalidator } from './invalidator.js'
import type { LogPosition } from './log.js'
import { outageLog } from './outage-log.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Tells every server that these keys are stale; resolves when Redis has logged and published them. */
    invalidateCache(keys: readonly string[]): Promise<LogPosition>
  }
}

/** The publisher is the plugin's from now on: it ends with the server. */
export type InvalidatorPluginOptions = CacheInvalidatorOptions

const plugin: FastifyPluginAsync<InvalidatorPluginOptions> = async (fastify, options) => {
  const { publisher } = options
  const { publish, close } = createCacheInvalidator(options)
  publisher.on('error', outageLog(publisher, fastify.log, 'Redis connection failed: '))
  fastify.addHook('onClose', async () => {
    const deadline = performance.now() + closeTimeout
    await close({ timeoutMs: closeTimeout })
    await closeClient(publisher, deadline - performance.now())
  })
  fastify.decorate('invalidateCache', keys => publish(keys))
}

/**
 * Decorates Fastify with `invalidateCache(keys)`. Boots without waiting for Redis. On close what is queued is
 * published and the publisher is quit, within 1 s; what is not published by then rejects with `PUBLISH_FAILED`.
 */
const invalidatorPlugin: FastifyPluginAsync<InvalidatorPluginOptions> = fp(plugin, {
  name: '@scratchyjs/cache-invalidation/invalidator-plugin',
  fastify: '5.x',
})

export default invalidatorPlugin
