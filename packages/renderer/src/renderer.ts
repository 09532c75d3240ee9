import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { Admission } from './admission.js'
import type { RenderContext } from './define-renderer.js'
import { RendererError } from './error.js'
import { decodeError, describe } from './error-transfer.js'
import { KillSwitch } from './kill-switch.js'
import { Latency } from './latency.js'
import { type RendererOptions, resolveOptions } from './options.js'
import { type Page, PageTransport } from './page-transport.js'
import type { HostData, LifecycleTask, RenderAnswer } from './protocol.js'
import { ThreadWatch } from './thread-watch.js'

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

/** What a renderer has done and holds. Times in milliseconds, `renderMs`, without time in the queue, over the latest 1,024. */
export interface RendererStats {
  renders: number
  errors: number
  queue: { size: number; waitMs: number }
  workers: { count: number; active: number; restarts: number }
  slots: { total: number; inUse: number; highWater: number; quarantined: number }
  transport: { shared: number; payload: number }
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
  render(context: RenderContext): Promise<Page>
  /** Runs a raw task in the same pool; its argument and result are cloned. */
  runTask<Result = unknown>(task: unknown, options?: RunTaskOptions): Promise<Result>
  stats(): RendererStats
  /** Refuses new renders, lets those under way finish, runs `teardown` in every thread, ends the pool. */
  close(): Promise<void>
}

/**
 * Starts a pool of rendering threads.
 *
 * @throws TypeError or RangeError for an option that can't be
 */
export function createRenderer(options: RendererOptions): Renderer {
  const settings = resolveOptions(options)
  const { taskTimeout, closeTimeout } = settings
  const transport = new PageTransport(settings.transport === 'shared' ? settings : undefined)
  const hostData: HostData = { worker: settings.workerUrl.href, arena: transport.pool?.buffer }
  const pool = new Piscina({
    filename: fileURLToPath(new URL('./worker-host.js', import.meta.url)),
    workerData: hostData,
    minThreads: settings.minThreads,
    maxThreads: settings.maxThreads,
    idleTimeout: settings.idleTimeout,
    ...(settings.resourceLimits && { resourceLimits: settings.resourceLimits }),
    // The default would block an idle worker's event loop, and with it the connections a worker holds.
    atomics: 'disabled',
    recordTiming: false,
  })
  const threads = new ThreadWatch(pool)
  const admission = new Admission(settings.maxThreads, settings.maxQueue)
  const latency = new Latency()
  let renders = 0
  let errors = 0
  let timeouts = 0
  let closing: Promise<void> | undefined
  pool.on('error', settings.onWorkerError)

  /** One task for each of `count` idle threads: Piscina gives a thread that is busy with one no other. */
  const lifecycle = async (count: number, run: () => Promise<RenderAnswer>): Promise<void> => {
    for (const answer of await Promise.all(Array.from({ length: count }, run))) {
      if ('error' in answer) throw decodeError(answer.error)
    }
  }
  const onThread = (task: LifecycleTask): Promise<RenderAnswer> => pool.run(task)

  // Renders that come meanwhile wait for it, and their time has not begun.
  const setup = () => admission.run(() => onThread('setup'))
  const ready = lifecycle(Math.max(1, settings.minThreads), setup).catch(error => {
    if (error instanceof RendererError) throw error
    throw new RendererError('WORKER_UNUSABLE', `A thread ended while it was set up: ${error?.message}`, error)
  })
  // Who doesn't look at `ready` learns it from the first render.
  ready.catch(() => {})

  const renderNow = async (json: string): Promise<Page> => {
    const began = performance.now()
    const { task, lease } = transport.depart(json)
    const kill = new KillSwitch()
    const timer = setTimeout(() => kill.trip(), taskTimeout)
    let answer: RenderAnswer
    try {
      answer = await pool.run(task, { signal: kill })
    } catch (error) {
      lease?.quarantine(threads.departures())
      if (kill.aborted) {
        timeouts++
        throw new RendererError(
          'RENDER_TIMEOUT',
          `The render took longer than ${taskTimeout} ms: its thread was replaced`,
        )
      }
      if (closing)
        throw new RendererError('RENDERER_CLOSED', 'The render took longer than `closeTimeout`', error)
      throw new RendererError(
        'WORKER_CRASHED',
        `The thread ended while it rendered: ${(error as Error)?.message}`,
        error,
      )
    } finally {
      clearTimeout(timer)
    }
    const page = transport.arrive(answer, task, lease)
    latency.record(performance.now() - began)
    return page
  }

  const close = async (): Promise<void> => {
    const drain = async () => {
      await admission.close()
      await lifecycle(pool.threads.length, () => onThread('teardown'))
    }
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>(resolve => {
      timer = setTimeout(resolve, closeTimeout)
    })
    await Promise.race([drain().catch(settings.onWorkerError), deadline])
    clearTimeout(timer)
    admission.abandon()
    await pool.destroy()
  }

  return {
    ready,
    piscina: pool,
    async render(context) {
      const json = serialise(context)
      try {
        const page = await admission.run(() => renderNow(json))
        renders++
        return page
      } catch (error) {
        errors++
        throw error
      }
    },
    runTask: (task, { transferList, ...rest } = {}) =>
      admission.run(() =>
        pool.run(task, {
          filename: fileURLToPath(settings.workerUrl),
          name: 'default',
          ...rest,
          ...(transferList && { transferList: [...transferList] }),
        }),
      ),
    stats() {
      const slots = transport.pool?.stats()
      return {
        renders,
        errors,
        queue: admission.queue,
        workers: {
          count: pool.threads.length,
          active: admission.running,
          restarts: threads.crashes + timeouts,
        },
        slots: {
          total: slots?.slots ?? 0,
          inUse: slots?.inUse ?? 0,
          highWater: slots?.highWater ?? 0,
          quarantined: slots?.quarantined ?? 0,
        },
        transport: { ...transport.counts },
        renderMs: latency.percentiles(),
      }
    },
    close: () => (closing ??= close()),
  }
}

function serialise(context: unknown): string {
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
