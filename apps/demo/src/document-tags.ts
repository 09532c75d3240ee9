import type { Invalidation, PageCaching } from '@scratchyjs/renderer'
import type { PageRequest } from './page.js'

const everyPage = 'pages'
const home = 'home'
const tagOf = (path: string): string => `document:${path}`

/** How a page is kept; `undefined` for one that is made anew each time. Times in seconds. */
export function cachingOf(request: PageRequest): PageCaching | undefined {
  const own = request.page === 'document' ? tagOf(request.path) : request.page === 'home' && home
  if (!own) return undefined
  // A title that has changed is in the navigation of all documents; those follow when they are a minute old.
  return { ttl: 60, staleWhileRevalidate: 600, tags: [own, everyPage] }
}

/** What is stale when documents have changed: their pages, and the index, which tells of all. */
export const staleWith = (paths: readonly string[]): Invalidation => ({ tags: [...paths.map(tagOf), home] })

/** What is stale when nobody knows what has changed. */
export const allStale: Invalidation = { tags: [everyPage] }
