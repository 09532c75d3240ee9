export {
  defineRenderer,
  type PageBody,
  type Renderable,
  type RenderContext,
  type RenderedPage,
  type RendererDefinition,
} from './define-renderer.js'
export type { ResponseHead } from './response-head.js'
export { type ShellOptions, wrapInShell } from './shell.js'
