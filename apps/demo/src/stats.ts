import type { PageCacheStats, RendererStats } from '@scratchyjs/renderer'

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
  /** Of the pages that may be kept, how many came from the cache. */
  cachedPercent: number
}

export interface InvalidationStats {
  /** Whether this server has heard everything; `degraded` while Redis is away. */
  subscription: 'synchronised' | 'replaying' | 'degraded'
  /** Keys that came in since the server started. */
  received: number
  /** How often all pages had to be dropped, because messages may have been missed. */
  flushes: number
}

/** What a server says of itself. */
export interface ServerStats {
  /** Machine and process: which of several servers answered. */
  server: string
  uptimeSeconds: number
  requests: number
  inWorkers: PageCost
  fromCache: PageCost
  onMainThread: PageCost
  renderer: RendererStats
  /** Of the pages that may be kept, how many came from the cache; `null` before the first. */
  cachedPercent: number | null
  /** One every two seconds, oldest first, at most 60. */
  history: Sample[]
  /** Only of a server with a Redis. */
  invalidation?: InvalidationStats
}

/** What `/api/stats` answers and the dashboard shows: one server closely, and all that share its Redis. */
export interface DashboardStats extends ServerStats {
  servers: ServerLine[]
}

/** A server among others. */
export type ServerLine = Omit<ServerStats, 'history'>

/** The share of the cache in pages that were answered between two readings of its counters. */
export function cachedPercent(now: PageCacheStats, before?: PageCacheStats): number | null {
  const kept = now.hits + now.stale - (before ? before.hits + before.stale : 0)
  const all = kept + now.misses - (before?.misses ?? 0)
  return all === 0 ? null : (100 * kept) / all
}
