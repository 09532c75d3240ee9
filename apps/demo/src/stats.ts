import type { RendererStats } from '@scratchyjs/renderer'

/** What one kind of page has cost the main thread. Times in milliseconds. */
export interface PageCost {
  pages: number
  mainThreadMs: number
  /** `null` before the first page. */
  msPerPage: number | null
}

/** One point of the dashboard's curves. */
export interface Sample {
  requestsPerSecond: number
  renderP50: number
  mainThreadMsPerPage: number
  slotsInUse: number
}

export interface InvalidationStats {
  /** Whether this server has heard everything; `degraded` while Redis is away. */
  subscription: 'synchronised' | 'replaying' | 'degraded'
  /** Keys that came in since the server started. */
  received: number
  /** Of these, documents that are read again. */
  reloads: number
  /** How often everything had to be read again, because messages may have been missed. */
  flushes: number
}

/** What `/api/stats` answers and the dashboard shows. */
export interface ServerStats {
  /** Machine and process: which of several servers answered. */
  server: string
  uptimeSeconds: number
  requests: number
  inWorkers: PageCost
  onMainThread: PageCost
  renderer: RendererStats
  /** One every two seconds, oldest first, at most 60. */
  history: Sample[]
  /** Only of a server that shares invalidations with others. */
  invalidation?: InvalidationStats
}
