// What a Fastify user needs of the packages underneath, so that one install does.
export {
  createCacheInvalidator,
  DEFAULT_CACHE_INVALIDATION_CHANNEL,
  subscribeToCacheInvalidation,
} from '@scratchyjs/cache-invalidation'
export {
  cleanupRenderContext,
  createRedisClient,
  getRenderContext,
  storeRenderContext,
  takeRenderContext,
} from '@scratchyjs/redis-transport'
export { SharedRingBuffer } from '@scratchyjs/ring-buffer'
export {
  BufferStatus,
  createSharedBuffer,
  createSharedBufferPool,
  fromSharedBuffer,
  readFromBuffer,
  writeToBuffer,
} from '@scratchyjs/shared-buffer'
