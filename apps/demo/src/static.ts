// npm run build:static [folder]: the whole portal as files, made by the worker that makes the server's pages.
import { cp, mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runSsgPipeline } from '@scratchyjs/renderer'
import { assetsFolder, assetsRoute } from './assets.js'
import { bookRoute, documentRoute, imagesRoute } from './links.js'
import type { BookRequest, PageRequest } from './page.js'
import { findSources } from './sources.js'

const outDir = resolve(process.argv[2] ?? fileURLToPath(new URL('./site/', import.meta.url)))
const missingRoute = '/404.html'
const { documents, images } = findSources()
const pages = new Map<string, PageRequest | BookRequest>([
  // First, for it takes as long as all the others.
  [bookRoute, { page: 'book' }],
  ['/', { page: 'home' }],
  ...documents.map(({ path }) => [documentRoute(path), { page: 'document', path }] as const),
  [missingRoute, { page: 'missing' }],
])

const { rendered, unchanged, failed, durationMs } = await runSsgPipeline({
  worker: new URL('./worker.js', import.meta.url),
  outDir,
  maxThreads: Math.min(availableParallelism(), 4),
  routes: pages.keys(),
  statuses: { [missingRoute]: 404 },
  getProps: route => ({ ...pages.get(route), staticRoute: route }),
})

await cp(assetsFolder, join(outDir, assetsRoute), { recursive: true })
for (const { path, file } of images) {
  const copy = join(outDir, imagesRoute, path)
  await mkdir(dirname(copy), { recursive: true })
  await cp(file, copy)
}

for (const { route, error } of failed) console.error(`${route} failed: ${error.message}`)
console.log(
  `${rendered.length} pages written, ${unchanged.length} unchanged, in ${(durationMs / 1000).toFixed(1)} s: ${outDir}`,
)
process.exitCode = failed.length > 0 ? 1 : 0
