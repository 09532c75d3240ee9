import { fileURLToPath } from 'node:url'
import { createRenderer } from './renderer.js'
import { orAborted, SsgBuild, type SsgOutcome } from './ssg-build.js'
import { SiteFolder } from './ssg-folder.js'
import { checkSsgOptions, type SsgOptions, type SsgResult } from './ssg-options.js'
import { RouteSource } from './ssg-routes.js'

/**
 * Renders every route to a file of `outDir`, with threads of its own, which are gone when this settles. A file appears
 * whole or not at all. A route that fails is listed, and the others go on.
 *
 * @throws TypeError or RangeError for an option that can't be; RendererError `WORKER_UNUSABLE` when the worker can't
 * be set up; `AbortError`; what `routes` or `onProgress` throw; what the file system says of `outDir` itself
 */
export async function runSsgPipeline(options: SsgOptions): Promise<SsgResult> {
  const began = performance.now()
  const { routes, outDir, getProps, statuses, concurrency, onProgress, signal, ...rest } =
    checkSsgOptions(options)
  const source = new RouteSource(routes)
  const stop = new AbortController()
  const onAbort = () => stop.abort(abortError(signal?.reason))
  if (signal?.aborted) throw abortError(signal.reason)
  // A page waits for none but those of its own run, however long they take.
  const renderer = createRenderer({ ...rest, queueTimeout: 2 ** 31 - 1 })
  signal?.addEventListener('abort', onAbort, { once: true })
  let folder: SiteFolder | undefined
  let outcomes: SsgOutcome[]
  try {
    folder = await SiteFolder.open(outDir instanceof URL ? fileURLToPath(outDir) : outDir)
    await orAborted(() => renderer.ready, stop.signal)
    const steps = {
      statuses: statuses ?? {},
      concurrency: concurrency ?? Math.max(4, 2 * renderer.piscina.options.maxThreads),
      ...(getProps && { getProps }),
      ...(onProgress && { onProgress }),
    }
    outcomes = await new SsgBuild(renderer, folder, steps, stop).run(source)
  } finally {
    signal?.removeEventListener('abort', onAbort)
    void source.close()
    try {
      folder?.close()
    } finally {
      await renderer.close()
    }
  }
  const result: SsgResult = { rendered: [], unchanged: [], failed: [], durationMs: 0 }
  for (const [kind, page] of outcomes) {
    if (kind === 'failed') result.failed.push(page)
    else result[kind].push(page)
  }
  result.durationMs = performance.now() - began
  return result
}

function abortError(cause: unknown): Error {
  const error = new Error('The site was not finished: its signal was aborted', { cause })
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' })
}
