import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { assetsRoute } from './assets.js'
import { readOutlineStore } from './outline-store.js'
import type { Sources } from './sources.js'

/**
 * All that a page is made of besides the request and what has changed since the build. Servers with the same name share
 * pages through Redis; those of another version, with other documents or another stylesheet, begin with none.
 */
export function buildName(worker: URL, { documents }: Sources): string {
  const parts = [
    readOutlineStore(),
    assetsRoute,
    documents.map(({ path, address, project }) => [path, address, project]),
  ]
  return createHash('sha256').update(readFileSync(worker)).update(JSON.stringify(parts)).digest('hex')
}
