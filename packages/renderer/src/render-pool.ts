import { fileURLToPath } from 'node:url'
import type { SlotLease } from '@scratchyjs/shared-buffer'
import { Piscina } from 'piscina'
import { Admission } from './admission.js'
import { ControlWords, MOST_THREADS } from './control-words.js'
import { Deadlines } from './deadlines.js'
import { Diagnostics, type PoolObserver } from './diagnostics.js'
import { RendererError } from './error.js'
import { decodeError } from './error-transfer.js'
import { Latency } from './latency.js'
import { attachMetrics, type PoolMetrics, type PoolReading } from './metrics.js'
import type { ResolvedOptions } from './options.js'
import type { PageCacheStats } from './page-cache.js'
import { PageTransport } from './page-transport.js'
import type { HostData, LifecycleTask, RenderAnswer, RenderTask, RetiringMessage } from './protocol.js'
import { RedisCarrier } from './redis-carrier.js'
import type { RenderJob } from './render-job.js'
import { StreamHub } from './stream-hub.js'
import { StreamLanes } from './stream-lanes.js'
import { type TaskOwner, TaskRun } from './task-run.js'
import { ThreadWatch } from './thread-watch.js'
import { WorkerWatch } from './worker-watch.js'

/** The threads, and all that the renders on them share. */
export class RenderPool {
  readonly settings: ResolvedOptions
  readonly piscina: Piscina
  readonly admission: Admission
  readonly transport: PageTransport
  readonly hub: StreamHub
  readonly lanes: StreamLanes
  /** Renders that have a thread. */
  readonly running: Deadlines<Pick<RenderJob<unknown>, 'onLate'>>
  readonly latency: Latency = new Latency()
  readonly diagnostics: Diagnostics
  readonly counts = { renders: 0, errors: 0, cancelled: 0, kills: 0, recycled: 0 }
  /** How often the worker file was loaded anew. */
  reloads = 0
  /** Resolves when `minThreads` threads are set up. */
  readonly ready: Promise<void>
  readonly #words: ControlWords
  /** The latest task of each of the words. */
  readonly #latest: TaskRun[] = []
  readonly #threads: ThreadWatch
  readonly #watch: WorkerWatch | undefined
  readonly #metrics: PoolMetrics | undefined
  #closing: Promise<void> | undefined

  /** @param cached what the renderer's page cache has answered */
  constructor(settings: ResolvedOptions, observer: PoolObserver, cached: PageCacheStats | undefined) {
    const { maxThreads, maxQueue, queueTimeout, taskTimeout, name, metrics } = settings
    this.settings = settings
    this.transport = transportOf(settings)
    this.#words = ControlWords.for(maxThreads)
    this.hub = new StreamHub(this.#words)
    this.lanes = new StreamLanes(settings.streamBuffer, settings.slots)
    const hostData: HostData = {
      worker: settings.workerUrl.href,
      arena: this.transport.pool?.buffer,
      control: this.#words.buffer,
      maxPageBytes: settings.maxPageBytes,
      recycle: settings.recycle,
      redis: this.transport.redis?.connection,
    }
    try {
      // Before there are threads, which a refusal would leave behind.
      this.#metrics = metrics && attachMetrics(metrics, name, () => this.#read(cached))
      this.piscina = new Piscina({
        filename: fileURLToPath(new URL('./worker-host.js', import.meta.url)),
        workerData: hostData,
        minThreads: settings.minThreads,
        maxThreads,
        idleTimeout: settings.idleTimeout,
        ...(settings.resourceLimits && { resourceLimits: settings.resourceLimits }),
        // The default would block an idle worker's event loop, and with it the connections a worker holds.
        atomics: 'disabled',
        recordTiming: false,
      })
    } catch (error) {
      this.#metrics?.detach()
      this.transport.redis?.close()
      throw error
    }
    this.diagnostics = new Diagnostics(name, this.#metrics ? [observer, this.#metrics] : [observer])
    this.#threads = new ThreadWatch(this.piscina, this.diagnostics)
    this.admission = new Admission(maxThreads, maxQueue, queueTimeout)
    this.running = new Deadlines(taskTimeout, job => job.onLate())
    this.piscina.on('error', settings.onWorkerError)
    this.piscina.on('message', (message: Partial<RetiringMessage> | null) => this.#retire(message))
    this.#watch = settings.watch ? new WorkerWatch(settings.workerUrl, () => this.reload()) : undefined
    this.ready = this.#setUp()
    // Who doesn't look at `ready` learns it from the first render.
    this.ready.catch(() => {})
  }

  start(task: Omit<RenderTask, 'ticket'>, owner: TaskOwner): TaskRun {
    const run = new TaskRun(this.piscina, this.#words, task, this.settings.cancelGrace, owner)
    this.#latest[run.ticket & (MOST_THREADS - 1)] = run
    return run
  }

  /** A render's thread ended; until it has exited it may write to the slot. */
  lose(killed: boolean, lease: SlotLease | undefined): void {
    if (killed) {
      this.counts.kills++
      this.diagnostics.thread('killed')
    }
    if (!lease) return
    lease.quarantine(this.#threads.departures())
    this.diagnostics.quarantine(lease.index)
  }

  /** The error of a render whose thread ended. */
  crashOf(crash: unknown): RendererError {
    if (this.#closing) {
      return new RendererError('RENDERER_CLOSED', 'The render took longer than `closeTimeout`', crash)
    }
    const message = `The thread ended while it rendered: ${(crash as Error)?.message}`
    return new RendererError('WORKER_CRASHED', message, crash)
  }

  /** Threads that ended before the pool did. */
  get restarts(): number {
    return this.#threads.crashes + this.counts.kills
  }

  /** Replaces all threads, which load the worker file anew. What comes meanwhile waits. */
  reload(): Promise<void> {
    return this.admission.alone(async () => {
      await this.#threads.started(this.settings.closeTimeout)
      await this.#tearDown().catch(this.settings.onWorkerError)
      await this.#threads.dismissAll()
      this.reloads++
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Messages of the user's own code come here too, and those of tasks that were killed meanwhile. */
  #retire(message: Partial<RetiringMessage> | null): void {
    const ticket = message?.retiring
    if (typeof ticket !== 'number') return
    const run = this.#latest[ticket & (MOST_THREADS - 1)]
    if (run?.ticket !== ticket) return
    if (message?.answer) {
      this.counts.recycled++
      this.diagnostics.thread('recycled', message.threadId)
    }
    run.retire(message?.answer)
  }

  async #setUp(): Promise<void> {
    // Renders that come meanwhile wait for it, and their time has not begun.
    const setup = () => this.admission.run(() => this.#onThread('setup'))
    try {
      await this.#everywhere(Math.max(1, this.settings.minThreads), setup)
    } catch (error) {
      if (error instanceof RendererError) throw error
      const message = `A thread ended while it was set up: ${(error as Error)?.message}`
      throw new RendererError('WORKER_UNUSABLE', message, error)
    }
  }

  async #close(): Promise<void> {
    const { closeTimeout, onWorkerError } = this.settings
    this.#watch?.close()
    const drain = async () => {
      await this.admission.close()
      await this.#threads.started(closeTimeout)
      await this.#tearDown()
    }
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>(resolve => {
      timer = setTimeout(resolve, closeTimeout)
    })
    await Promise.race([drain().catch(onWorkerError), deadline])
    clearTimeout(timer)
    this.admission.abandon()
    await this.piscina.destroy().finally(() => this.#metrics?.detach())
    this.transport.redis?.close()
  }

  #read(cache: PageCacheStats | undefined): PoolReading {
    const { total, inUse, quarantined } = this.transport.slots
    return {
      queue: this.admission.queue.size,
      active: this.admission.running,
      threads: this.piscina.threads.length,
      slots: total,
      slotsInUse: inUse,
      slotsQuarantined: quarantined,
      streams: this.lanes.inUse,
      pages: this.transport.counts,
      cache,
    }
  }

  #tearDown(): Promise<void> {
    return this.#everywhere(this.piscina.threads.length, () => this.#onThread('teardown'))
  }

  #onThread(task: LifecycleTask): Promise<RenderAnswer> {
    return this.piscina.run(task)
  }

  /** One task for each of `count` idle threads: Piscina gives a thread that is busy with one no other. */
  async #everywhere(count: number, run: () => Promise<RenderAnswer>): Promise<void> {
    for (const answer of await Promise.all(Array.from({ length: count }, run))) {
      if ('error' in answer) throw decodeError(answer.error)
    }
  }
}

function transportOf(settings: ResolvedOptions): PageTransport {
  const { transport, redis, slotSize } = settings
  const hasRedis = redis !== undefined && (transport === 'redis' || transport === 'auto')
  return new PageTransport(
    transport === 'payload' ? undefined : settings,
    hasRedis ? new RedisCarrier(redis, transport === 'redis' ? -1 : slotSize) : undefined,
  )
}
