/** What can go wrong in operation; match on `code`. */
export type RendererErrorCode =
  /** `close()` was called: no new renders. 503 */
  | 'RENDERER_CLOSED'
  /** More renders wait than `maxQueue` allows. 503 */
  | 'QUEUE_FULL'
  /** The render waited longer than `queueTimeout` for a thread. 503 */
  | 'QUEUE_TIMEOUT'
  /** A render took longer than `taskTimeout`. 504 */
  | 'RENDER_TIMEOUT'
  /** The thread ended while it rendered; it was replaced. 500 */
  | 'WORKER_CRASHED'
  /** The worker file can't be loaded, exports no renderer, or its `setup` threw. 500 */
  | 'WORKER_UNUSABLE'
  /** `render` returned something that is no page. 500 */
  | 'INVALID_PAGE'
  /** The page has more than `maxPageBytes`. 500 */
  | 'PAGE_TOO_LARGE'
  /** Static sites: the route names no file inside `outDir`. */
  | 'ROUTE_REFUSED'
  /** Static sites: another route, or something else, is where the route's file or one of its folders must be. */
  | 'FILE_TAKEN'
  /** Static sites: the page's status is not the one that its route must have. */
  | 'PAGE_STATUS'
  /** Redis could not be told which pages are stale: servers may go on sending them. 503 */
  | 'INVALIDATION_FAILED'

const statusCodes: Record<RendererErrorCode, number> = {
  RENDERER_CLOSED: 503,
  QUEUE_FULL: 503,
  QUEUE_TIMEOUT: 503,
  RENDER_TIMEOUT: 504,
  WORKER_CRASHED: 500,
  WORKER_UNUSABLE: 500,
  INVALID_PAGE: 500,
  PAGE_TOO_LARGE: 500,
  ROUTE_REFUSED: 500,
  FILE_TAKEN: 500,
  PAGE_STATUS: 500,
  INVALIDATION_FAILED: 503,
}

export const rendererErrorCodes: readonly RendererErrorCode[] = Object.keys(
  statusCodes,
) as RendererErrorCode[]

/** An operational failure of the renderer. Errors that a `render` throws itself keep their own name and code. */
export class RendererError extends Error {
  override readonly name: string = 'RendererError'
  readonly code: RendererErrorCode
  /** The HTTP status that fits, 500–504. */
  readonly statusCode: number

  constructor(code: RendererErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.statusCode = statusCodes[code]
  }
}
