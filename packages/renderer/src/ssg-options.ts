import { describe } from './error-transfer.js'
import type { RendererOptions } from './options.js'
import type { SsgRoutes } from './ssg-routes.js'

/** Options of {@link runSsgPipeline}: where the pages come from and go to, and those of the renderer that makes them. */
export interface SsgOptions
  extends Omit<RendererOptions, 'minThreads' | 'idleTimeout' | 'maxQueue' | 'queueTimeout' | 'streamBuffer'> {
  /**
   * Paths, percent-encoded or not, taken as they are needed. `/` goes to `index.html`, `/a` and `/a/` to `a/index.html`;
   * one that ends in an extension, letters and digits with a letter among them, is a file's name: `/a.html`, `/feed.xml`.
   * A query or hash is refused. Whether `/a` and `/A` are two pages is for the file system to say.
   */
  routes: SsgRoutes
  /** The folder to write to, made if there is none: a path or a `file:` URL. Links below it are not followed. */
  outDir: string | URL
  /** A route's props. What it throws fails this route alone. The signal is aborted when the run is to end. */
  getProps?: (route: string, tools: { signal: AbortSignal }) => unknown
  /** The status that a route's page must have, where that is not 200: `{ '/404': 404 }`. */
  statuses?: Readonly<Record<string, number>>
  /** Routes under way at a time, each with its props, its page or its file. Default 2 per thread, at least 4. */
  concurrency?: number
  /** Told of each route when it is done. If it throws, the run ends and rejects with that error. */
  onProgress?: (progress: SsgProgress) => void
  /** Aborted: the run ends, and rejects with an `AbortError` when its threads are gone. */
  signal?: AbortSignal
}

/** How far a run is. */
export interface SsgProgress {
  /** Routes rendered, unchanged or failed by now. */
  done: number
  /** All routes; `undefined` until an iterable has come to its end. */
  total: number | undefined
  route: string
  /** Why this route failed. */
  error?: Error
}

/** A page and its file. */
export interface SsgPage {
  route: string
  /** The file's full path. */
  path: string
  bytes: number
}

/** A route whose page was not written. */
export interface SsgFailure {
  route: string
  /**
   * What its props or its render threw, or the file system said; or a `RendererError`: `ROUTE_REFUSED`, `FILE_TAKEN`,
   * `PAGE_STATUS`, or one of the renderer's own.
   */
  error: Error
  /** The page's status, where that is why. */
  statusCode?: number
}

/** What became of every route, in the order of `routes`. */
export interface SsgResult {
  rendered: SsgPage[]
  /** Pages whose file had the same bytes already, and was left alone. */
  unchanged: SsgPage[]
  failed: SsgFailure[]
  /** From the call to the end of the last thread, in milliseconds. */
  durationMs: number
}

/** `TypeError` or `RangeError` names the first option that can't be; the renderer checks its own. */
export function checkSsgOptions(options: SsgOptions): SsgOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`The options of runSsgPipeline must be an object, and are ${describe(options)}`)
  }
  const { outDir, getProps, statuses, concurrency, onProgress, signal } = options
  if (!(outDir instanceof URL) && (typeof outDir !== 'string' || outDir === '')) {
    throw new TypeError(`outDir must be a path or a file: URL, and is ${describe(outDir) || 'empty'}`)
  }
  for (const [name, value] of Object.entries({ getProps, onProgress })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`${name} must be a function, and is ${describe(value)}`)
    }
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`signal must be an AbortSignal, and is ${describe(signal)}`)
  }
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) {
    throw new RangeError(`concurrency must be a positive integer, and is ${describe(concurrency)}`)
  }
  for (const [route, status] of Object.entries(statuses ?? {})) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(
        `statuses: ${route} must be an integer from 200 to 599, and is ${describe(status)}`,
      )
    }
  }
  return options
}
