import { fileURLToPath } from 'node:url'
import type { Piscina } from 'piscina'
import type { RenderContext } from './define-renderer.js'
import type { PoolObserver } from './diagnostics.js'
import { describe } from './error-transfer.js'
import { type RendererOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { type Invalidation, PageCache, type PageCacheStats } from './page-cache.js'
import type { Page, SlotCounts } from './page-transport.js'
import { PageJob, type StreamedPage, StreamJob } from './render-job.js'
import { RenderPool } from './render-pool.js'

/** Options of a raw Piscina task. */
export interface RunTaskOptions {
  /** A file that exports the function to run; the renderer's worker file by default. */
  filename?: string
  /** Which of its exports; by default the default one, which makes a page of a context. */
  name?: string
  /** Aborting a task that runs ends its thread. */
  signal?: AbortSignal
  /** Objects to move to the worker instead of cloning them. */
  transferList?: readonly ArrayBuffer[]
}

/** How one page is rendered. */
export interface RenderOptions {
  /** Aborted: the render leaves the queue, or its own signal is aborted, and the call rejects with the reason. */
  signal?: AbortSignal
}

/** What a renderer has done and holds. Times in milliseconds, `renderMs`, without time in the queue, over the latest 1,024. */
export interface RendererStats {
  renders: number
  errors: number
  /** Renders whose page nobody wanted any more. */
  cancelled: number
  queue: { size: number; waitMs: number }
  /** `restarts` counts threads that crashed or were killed, `recycled` those that had done enough. */
  workers: { count: number; active: number; restarts: number; recycled: number }
  slots: SlotCounts
  /** Rings of streamed pages that are in use. */
  streams: number
  transport: { shared: number; payload: number; redis: number }
  cache: PageCacheStats
  renderMs: { p50: number; p99: number }
}

/** A pool of threads that makes pages. All of its members are for the thread that created it. */
export interface Renderer {
  /** Resolves when `minThreads` threads are set up; rejects with `WORKER_UNUSABLE` when one can't be. */
  readonly ready: Promise<void>
  readonly piscina: Piscina
  /**
   * Makes a page in a worker. Release it when its bytes have been sent.
   *
   * @throws TypeError when the context is nothing that JSON can hold; RendererError; or what `render` threw
   */
  render(context: RenderContext, options?: RenderOptions): Promise<Page>
  /**
   * Makes a page in a worker, and resolves when its head has come. Its bytes come as they are made, no faster than
   * they are read. Read the stream to its end or destroy it: it keeps its thread until then.
   *
   * @throws the same as {@link render}; what goes wrong later destroys the stream
   */
  renderStream(context: RenderContext, options?: RenderOptions): Promise<StreamedPage>
  /** Runs a raw task in the same pool; its argument and result are cloned. */
  runTask<Result = unknown>(task: unknown, options?: RunTaskOptions): Promise<Result>
  stats(): RendererStats
  /**
   * Drops cached pages: here at once, and with a `redis` on every server. Resolves when Redis has it, so that no server
   * stores again what was rendered before; others hear of it within milliseconds.
   *
   * @throws RendererError `INVALIDATION_FAILED` when Redis could not be told within 10 s: call it again. TypeError
   * without the option `cache`, or when nothing is named
   */
  invalidate(stale: Invalidation): Promise<void>
  /** Replaces all threads, which load the worker file anew; renders that come meanwhile wait. */
  reload(): Promise<void>
  /** Refuses new renders, lets those under way finish, runs `teardown` in every thread, ends the pool. */
  close(): Promise<void>
}

/** A renderer, and the jobs behind its calls: cancelling one of those costs less than an `AbortSignal`. */
export interface RendererCore extends Renderer {
  /** With the option `cache`. */
  pages: PageCache | undefined
  begin(context: RenderContext): PageJob
  /** The same, with the context as JSON. */
  beginJson(json: string, route: string): PageJob
  beginStream(context: RenderContext): StreamJob
}

/**
 * Starts a pool of rendering threads.
 *
 * @throws TypeError or RangeError for an option that can't be
 */
export function createRenderer(options: RendererOptions): Renderer {
  const { pages, begin, beginJson, beginStream, ...renderer } = createRendererCore(options)
  return renderer
}

export function createRendererCore(options: RendererOptions, observer: PoolObserver = {}): RendererCore {
  const settings = resolveOptions(options)
  // First: an option of it that can't be must leave no threads behind.
  const pages = options.cache && new PageCache(options.cache, settings.workerUrl, () => pool.reloads)
  const pool = createPool(settings, pages, observer)
  const beginJson = (json: string, route: string) => new PageJob(pool, route).start(json)
  const begin = (context: RenderContext) => beginJson(serialise(context), context.route)
  const beginStream = (context: RenderContext) => {
    const json = serialise(context)
    return new StreamJob(pool, context.route).start(json)
  }

  return {
    ready: pool.ready,
    piscina: pool.piscina,
    pages,
    begin,
    beginJson,
    beginStream,
    render: (context, options) => resultOf(begin, context, options),
    renderStream: (context, options) => resultOf(beginStream, context, options),
    runTask: (task, { transferList, ...rest } = {}) =>
      pool.admission.run(() =>
        pool.piscina.run(task, {
          filename: fileURLToPath(settings.workerUrl),
          name: 'default',
          ...rest,
          ...(transferList && { transferList: [...transferList] }),
        }),
      ),
    stats() {
      const { renders, errors, cancelled } = pool.counts
      return {
        renders,
        errors,
        cancelled,
        queue: pool.admission.queue,
        workers: {
          count: pool.piscina.threads.length,
          active: pool.admission.running,
          restarts: pool.restarts,
          recycled: pool.counts.recycled,
        },
        slots: pool.transport.slots,
        streams: pool.lanes.inUse,
        transport: { ...pool.transport.counts },
        cache: pages ? { ...pages.counts } : { hits: 0, misses: 0, stale: 0, bypassed: 0 },
        renderMs: pool.latency.percentiles(),
      }
    },
    async invalidate(stale) {
      if (!pages) throw new TypeError('Cannot invalidate pages: the renderer has no option `cache`')
      await pages.invalidate(stale)
    },
    reload: () => pool.reload(),
    async close() {
      await pool.close()
      await pages?.close()
    },
  }
}

function createPool(
  settings: ResolvedOptions,
  pages: PageCache | undefined,
  observer: PoolObserver,
): RenderPool {
  try {
    return new RenderPool(settings, observer, pages?.counts)
  } catch (error) {
    void pages?.close()
    throw error
  }
}

interface Job<Result> {
  result: Promise<Result>
  cancel(reason: unknown): void
}

/** The job's result, unless the signal is aborted first. */
function resultOf<Result>(
  begin: (context: RenderContext) => Job<Result>,
  context: RenderContext,
  { signal }: RenderOptions = {},
): Promise<Result> {
  try {
    signal?.throwIfAborted()
    const job = begin(context)
    return signal ? unlessAborted(job, signal) : job.result
  } catch (error) {
    return Promise.reject(error)
  }
}

async function unlessAborted<Result>(job: Job<Result>, signal: AbortSignal): Promise<Result> {
  const cancel = () => job.cancel(signal.reason)
  signal.addEventListener('abort', cancel, { once: true })
  try {
    return await job.result
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** The context as the worker gets it. */
export function serialise(context: unknown): string {
  if (typeof context !== 'object' || context === null) {
    throw new TypeError(`Cannot render: the context must be an object, and is ${describe(context)}`)
  }
  try {
    return JSON.stringify(context)
  } catch (error) {
    throw new TypeError(
      `Cannot render: the context is nothing that JSON can hold: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}
