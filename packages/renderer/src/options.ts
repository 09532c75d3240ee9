import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ResourceLimits } from 'node:worker_threads'
import { MOST_THREADS } from './control-words.js'
import { describe } from './error-transfer.js'
import type { MetricsRegistry } from './metrics.js'
import type { PageCacheOptions } from './page-cache-options.js'
import type { Recycling } from './protocol.js'
import type { CarrierSource } from './redis-carrier.js'

/** How contexts and pages travel between the threads. */
export type Transport = 'shared' | 'payload' | 'redis' | 'auto'

/** Options of {@link createRenderer} and of the Fastify plugin. Times in milliseconds, sizes in bytes. */
export interface RendererOptions {
  /** The worker file, with a default export made by `defineRenderer`: a `file:` URL or an absolute path. */
  worker: URL | string
  /** Threads kept while idle; by default as many as `maxThreads`. */
  minThreads?: number
  /** Threads at most, each rendering one page at a time; by default one less than the machine's cores, at least 1. */
  maxThreads?: number
  /** How long a thread above `minThreads` may be idle before it ends. Default 30,000. */
  idleTimeout?: number
  /**
   * How long one render may take before it fails with `RENDER_TIMEOUT`, without its time in the queue and the start of
   * its thread. For a streamed page that is the time until its last byte is on its way, which a slow client prolongs.
   * Default 30,000.
   */
  taskTimeout?: number
  /** How long a render that is cancelled, or whose time is up, may go on before its thread is replaced. Default 1,000. */
  cancelGrace?: number
  /** Renders that may wait for a thread; one more fails with `QUEUE_FULL`. Default 1,000. */
  maxQueue?: number
  /**
   * How long a render may wait for a thread before it fails with `QUEUE_TIMEOUT`; for one that is being started, at
   * least for `taskTimeout`. Default 10,000.
   */
  queueTimeout?: number
  /** How long `close()` waits for the renders it finds under way. Default 10,000. */
  closeTimeout?: number
  /**
   * V8's limits for each thread, as in `node:worker_threads`; Buffers don't count. A thread that runs out of heap fails
   * its own render. V8 aborts the whole process instead when one step overshoots the limit far: a huge string, or a
   * large young generation, so set `maxYoungGenerationSizeMb` (4, say) beside `maxOldGenerationSizeMb`.
   */
  resourceLimits?: ResourceLimits
  /**
   * `'shared'` (default): through slots of shared memory. `'payload'`: in the messages of the tasks. `'redis'`: contexts
   * through Redis, pages through slots. `'auto'`: as `'shared'`, and contexts larger than a slot through `redis`. What
   * Redis doesn't carry, being out or slow, goes as it would without it.
   */
  transport?: Transport
  /**
   * The Redis for `transport`: a client, which stays yours, a URL or options. Each worker makes a connection of its own
   * from these. No Cluster.
   */
  redis?: CarrierSource
  /** Slots of shared memory, each held from the start of a render until its page is sent. Default 4 per thread, at least 16. */
  slots?: number
  /** The largest context or page that a slot carries; larger ones travel in the task's messages. Default 1 MiB. */
  slotSize?: number
  /** Memory of each streamed page between the threads: what a slow client can hold. Default 256 KiB. */
  streamBuffer?: number
  /** The largest page that is not streamed; larger ones fail with `PAGE_TOO_LARGE`. Default 64 MiB. */
  maxPageBytes?: number
  /** Replaces a thread after so many renders, or when its heap holds so many megabytes (2^20 bytes) after one. */
  recycle?: Recycling
  /** For development: replaces all threads when a file in the worker file's folder, or below it, changes. */
  watch?: boolean
  /**
   * A `Registry` of `prom-client`, which gets the metrics `scratchy_renderer_…` until the renderer is closed. Renderers
   * that share one need different names, their label `pool`.
   */
  metrics?: MetricsRegistry
  /** What metrics and diagnostics call this renderer. Default `renderer`. */
  name?: string
  /** Keeps pages of routes that ask for it. */
  cache?: PageCacheOptions
  /** Told of a thread that ended while it rendered nothing, which no request would notice. */
  onWorkerError?: (error: Error) => void
}

/** The options with every default filled in. */
export interface ResolvedOptions
  extends Required<Omit<RendererOptions, 'worker' | 'resourceLimits' | 'metrics' | 'cache' | 'redis'>> {
  redis: CarrierSource | undefined
  workerUrl: URL
  metrics: MetricsRegistry | undefined
  resourceLimits: ResourceLimits | undefined
}

const transports = new Set<unknown>(['shared', 'payload', 'redis', 'auto'] satisfies Transport[])

/** Checks every option; `TypeError` or `RangeError` names the first wrong one and its value. */
export function resolveOptions(options: RendererOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`The renderer's options must be an object, and are ${describe(options)}`)
  }
  const maxThreads = integer(
    'maxThreads',
    options.maxThreads,
    Math.max(1, availableParallelism() - 1),
    1,
    MOST_THREADS,
  )
  const minThreads = integer('minThreads', options.minThreads, maxThreads, 0, MOST_THREADS)
  if (minThreads > maxThreads) {
    throw new RangeError(`minThreads is ${minThreads}, more than maxThreads, which is ${maxThreads}`)
  }
  const transport = options.transport ?? 'shared'
  if (!transports.has(transport)) {
    throw new TypeError(
      `transport must be 'shared', 'payload', 'redis' or 'auto', and is ${describe(transport)}`,
    )
  }
  if (transport === 'redis' && options.redis === undefined) {
    throw new TypeError("transport 'redis' needs the option `redis`, which is undefined")
  }
  const onWorkerError = options.onWorkerError ?? (() => {})
  if (typeof onWorkerError !== 'function') {
    throw new TypeError(`onWorkerError must be a function, and is ${describe(onWorkerError)}`)
  }
  const name = options.name ?? 'renderer'
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(
      `name must be a string that is not empty, and is ${name === '' ? 'empty' : describe(name)}`,
    )
  }
  const { metrics } = options
  if (metrics !== undefined && typeof metrics?.registerMetric !== 'function') {
    throw new TypeError(`metrics must be a Registry of prom-client, and is ${describe(metrics)}`)
  }
  return {
    name,
    metrics,
    workerUrl: workerUrl(options.worker),
    minThreads,
    maxThreads,
    idleTimeout: milliseconds('idleTimeout', options.idleTimeout, 30_000),
    taskTimeout: milliseconds('taskTimeout', options.taskTimeout, 30_000),
    cancelGrace: milliseconds('cancelGrace', options.cancelGrace, 1000),
    queueTimeout: milliseconds('queueTimeout', options.queueTimeout, 10_000),
    closeTimeout: milliseconds('closeTimeout', options.closeTimeout, 10_000),
    maxQueue: integer('maxQueue', options.maxQueue, 1000, 0, 1_000_000),
    slots: integer('slots', options.slots, Math.max(16, maxThreads * 4), 1, 65_536),
    slotSize: integer('slotSize', options.slotSize, 2 ** 20, 1, 2 ** 30),
    streamBuffer: integer('streamBuffer', options.streamBuffer, 2 ** 18, 2 ** 15, 2 ** 30),
    maxPageBytes: integer('maxPageBytes', options.maxPageBytes, 2 ** 26, 1, 2 ** 30),
    transport,
    redis: options.redis,
    onWorkerError,
    recycle: recycling(options.recycle),
    watch: options.watch ?? false,
    resourceLimits: options.resourceLimits,
  }
}

function workerUrl(worker: unknown): URL {
  let url: URL | undefined
  if (worker instanceof URL) url = worker
  else if (typeof worker === 'string' && worker.startsWith('file:')) url = new URL(worker)
  else if (typeof worker === 'string' && isAbsolute(worker)) url = pathToFileURL(worker)
  if (url?.protocol !== 'file:') {
    throw new TypeError(
      `worker must be a file: URL or an absolute path, such as new URL('./worker.js', import.meta.url), and is ${describe(worker)}`,
    )
  }
  if (!existsSync(url)) throw new TypeError(`worker: there is no file ${fileURLToPath(url)}`)
  return url
}

export function integer(name: string, value: unknown, byDefault: number, min: number, max: number): number {
  if (value === undefined) return byDefault
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, and is ${describe(value)}`)
  }
  return value as number
}

const milliseconds = (name: string, value: unknown, byDefault: number) =>
  integer(name, value, byDefault, 1, 2 ** 31 - 1)

function recycling(recycle: Recycling = {}): Recycling {
  if (typeof recycle !== 'object' || recycle === null) {
    throw new TypeError(`recycle must be an object, and is ${describe(recycle)}`)
  }
  const { tasks, heapMb } = recycle
  return {
    ...(tasks !== undefined && { tasks: integer('recycle.tasks', tasks, 1, 1, 2 ** 31 - 1) }),
    ...(heapMb !== undefined && { heapMb: integer('recycle.heapMb', heapMb, 1, 1, 2 ** 20) }),
  }
}
