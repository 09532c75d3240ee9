export type { BreakerState, CircuitBreaker, CircuitBreakerOptions } from './circuit-breaker.js'
export { type CreateRedisClientOptions, createRedisClient } from './client.js'
export type { RenderEnvelope } from './envelope.js'
export { RedisTransportError, type RedisTransportErrorCode } from './error.js'
export { type Answer, GuardedRedis, type Outage } from './guarded-redis.js'
export {
  createHtmlStore,
  type HtmlStore,
  type HtmlStoreOptions,
  type HtmlStoreStats,
  type SetHtmlOptions,
} from './html-store.js'
export { type PageKey, type PageKeyParts, pageKey } from './page-key.js'
export {
  createRedisTransport,
  type RedisTransport,
  type RedisTransportOptions,
  type RedisTransportStats,
  type TransportBreakerOptions,
} from './redis-transport.js'
export {
  type ContextSizeOptions,
  cleanupRenderContext,
  DEFAULT_MAX_CONTEXT_BYTES,
  getRenderContext,
  storeRenderContext,
  takeRenderContext,
} from './render-context.js'
export { createRequestId } from './request-id.js'
