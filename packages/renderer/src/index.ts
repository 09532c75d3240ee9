export * from './companions.js'
export {
  defineRenderer,
  type RenderContext,
  type RendererDefinition,
  type RenderTools,
} from './define-renderer.js'
export type { RenderEvent, ThreadEvent } from './diagnostics.js'
export { RendererError, type RendererErrorCode } from './error.js'
export type { MetricsRegistry } from './metrics.js'
export type { RendererOptions, Transport } from './options.js'
export type { Invalidation, PageCacheStats } from './page-cache.js'
export type { PageCacheOptions, PageCaching, RedisSource } from './page-cache-options.js'
export type { ContextLoader, PageRequest } from './page-request.js'
export type { PageBody, PageChunk, PageParts, PipeablePage } from './page-source.js'
export type { Page, SlotCounts } from './page-transport.js'
export { default as rendererPlugin, type RendererPluginOptions, type ReplyRenderOptions } from './plugin.js'
export type { StreamedPage } from './render-job.js'
export {
  createRenderer,
  type Renderer,
  type RendererStats,
  type RenderOptions,
  type RunTaskOptions,
} from './renderer.js'
export type { ResponseHead } from './response-head.js'
export { type ShellOptions, wrapInShell } from './shell.js'
export type { SsgFailure, SsgOptions, SsgPage, SsgProgress, SsgResult } from './ssg-options.js'
export { runSsgPipeline } from './ssg-pipeline.js'
export type { SsgRoutes } from './ssg-routes.js'
export {
  type CachedSSRHandlerOptions,
  createSSRHandler,
  createStreamingSSRHandler,
  type SSRHandlerOptions,
} from './ssr-handler.js'
