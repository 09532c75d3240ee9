export {
  defineRenderer,
  type Renderable,
  type RenderContext,
  type RenderedPage,
  type RendererDefinition,
  type RenderTools,
} from './define-renderer.js'
export type { PageBody, PageChunk, PageParts, PipeablePage } from './page-source.js'
export type { ResponseHead } from './response-head.js'
export { type ShellOptions, wrapInShell } from './shell.js'
