export {
  type CoherentCache,
  type CoherentCacheStats,
  createCoherentCache,
} from './coherent-cache.js'
export type { CoherentCacheOptions } from './coherent-cache-options.js'
export {
  CacheInvalidationError,
  type CacheInvalidationErrorCode,
  type FlushReason,
} from './error.js'
export {
  type CacheInvalidator,
  type CacheInvalidatorOptions,
  createCacheInvalidator,
  type PublishOptions,
} from './invalidator.js'
export type { LogPosition } from './log.js'
export { MAX_KEY_BYTES, MAX_MESSAGE_BYTES } from './message.js'
export { DEFAULT_CACHE_INVALIDATION_CHANNEL } from './options.js'
export type { InvalidatorStats } from './sender-queue.js'
export { type CacheSubscriptionOptions, subscribeToCacheInvalidation } from './subscribe.js'
export type { CacheSubscription, CacheSubscriptionStatus } from './subscription.js'
