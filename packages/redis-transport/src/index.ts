export { type CreateRedisClientOptions, createRedisClient } from './client.js'
export { RedisTransportError, type RedisTransportErrorCode } from './error.js'
export {
  type ContextSizeOptions,
  cleanupRenderContext,
  DEFAULT_MAX_CONTEXT_BYTES,
  getRenderContext,
  storeRenderContext,
  takeRenderContext,
} from './render-context.js'
export { createRequestId } from './request-id.js'
