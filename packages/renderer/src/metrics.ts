import { createRequire } from 'node:module'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { PoolObserver, RenderEvent, ThreadEvent } from './diagnostics.js'
import { RendererError, rendererErrorCodes } from './error.js'
import type { PageCacheStats } from './page-cache.js'

/** A `Registry` of `prom-client`. */
export interface MetricsRegistry {
  registerMetric(metric: never): void
  removeSingleMetric(name: string): void
  metrics(): Promise<string>
}

/** What a pool holds now. */
interface PoolGauges {
  queue: number
  active: number
  threads: number
  slots: number
  slotsInUse: number
  slotsQuarantined: number
  streams: number
}

/** What a pool tells when it is asked. */
export interface PoolReading extends PoolGauges {
  /** Pages that came whole, by what carried them. */
  pages: Readonly<Record<NonNullable<RenderEvent['transport']>, number>>
  /** What its page cache has answered, if it has one. */
  cache: PageCacheStats | undefined
}

/** A pool's metrics in a registry. */
export interface PoolMetrics extends PoolObserver {
  /** Takes them out of it. */
  detach(): void
}

const prefix = 'scratchy_renderer_'

const gauges: Record<keyof PoolGauges, readonly [name: string, help: string]> = {
  queue: ['queue_size', 'Renders that wait for a thread'],
  active: ['workers_active', 'Threads that render'],
  threads: ['threads', 'Threads in the pool'],
  slots: ['slots', 'Slots of shared memory'],
  slotsInUse: ['slots_in_use', 'Slots that hold a context or a page'],
  slotsQuarantined: [
    'slots_quarantined',
    'Slots out of use until a thread that may write to them has exited',
  ],
  streams: ['streams', 'Streamed pages under way'],
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The code of what a render threw: a label for each code that an application makes up would have no bound. */
const thrown = 'RENDER_THREW'
const kinds: readonly RenderEvent['kind'][] = ['page', 'stream']
const outcomes: readonly RenderEvent['outcome'][] = ['ok', 'error', 'cancelled']
const events: readonly ThreadEvent['event'][] = ['started', 'crashed', 'killed', 'recycled']
const codes: readonly string[] = [...rendererErrorCodes, thrown]

/** How often the event loop's delay is looked at. */
const delayResolutionMs = 10

const all = new WeakMap<MetricsRegistry, RegistryMetrics>()

/**
 * Puts a pool's metrics into a registry. Pools in one registry share its metrics, told apart by the label `pool`.
 *
 * @throws TypeError when `prom-client` is not installed, or a pool of that name is in the registry already
 */
export function attachMetrics(registry: MetricsRegistry, pool: string, read: () => PoolReading): PoolMetrics {
  const metrics = all.get(registry) ?? new RegistryMetrics(registry)
  metrics.add(pool, read)
  all.set(registry, metrics)
  return {
    onRender({ kind, outcome, waitMs, renderMs, error }) {
      if (renderMs !== undefined) {
        metrics.renderSeconds.observe({ pool, kind, outcome }, renderMs / 1000)
        metrics.waitSeconds.observe({ pool }, waitMs / 1000)
      }
      if (outcome === 'error') {
        metrics.errors.inc({ pool, code: error instanceof RendererError ? error.code : thrown })
      }
    },
    onThread({ event }) {
      metrics.threadEvents.inc({ pool, event })
    },
    detach: () => metrics.remove(pool),
  }
}

/** All metrics of a registry's pools. */
class RegistryMetrics {
  readonly renderSeconds: Histogram<'pool' | 'kind' | 'outcome'>
  readonly waitSeconds: Histogram<'pool'>
  readonly threadEvents: Counter<'pool' | 'event'>
  readonly errors: Counter<'pool' | 'code'>
  readonly #registry: MetricsRegistry
  readonly #readings = new Map<string, () => PoolReading>()
  readonly #gauges: Gauge<'pool'>[]
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: delayResolutionMs })
  readonly #names: string[] = []

  constructor(registry: MetricsRegistry) {
    const { Counter, Gauge, Histogram } = loadPromClient()
    this.#registry = registry
    const config = <Label extends string>(name: string, help: string, labelNames: Label[]) => {
      this.#names.push(prefix + name)
      return { name: prefix + name, help, labelNames, registers: [registry as Registry] }
    }
    this.renderSeconds = new Histogram({
      ...config('render_seconds', 'Time of renders on their thread', ['pool', 'kind', 'outcome']),
      buckets: secondsBuckets,
    })
    this.waitSeconds = new Histogram({
      ...config('queue_wait_seconds', 'Time of renders in the queue', ['pool']),
      buckets: secondsBuckets,
    })
    this.threadEvents = new Counter(
      config('thread_events_total', 'Threads started, crashed, killed and recycled', ['pool', 'event']),
    )
    this.errors = new Counter(
      config('errors_total', 'Renders that failed; RENDER_THREW for what a render threw', ['pool', 'code']),
    )
    const readings = this.#readings
    this.#gauges = (Object.keys(gauges) as (keyof PoolGauges)[]).map(
      key =>
        new Gauge({
          ...config(...gauges[key], ['pool']),
          collect() {
            for (const [pool, read] of readings) this.set({ pool }, read()[key])
          },
        }),
    )
    // Read at a scrape: to count each page here too would cost each of them a microsecond or two.
    const readCounter = (
      name: string,
      help: string,
      label: string,
      countsOf: (reading: PoolReading) => Readonly<Record<string, number>>,
    ) =>
      new Counter({
        ...config(name, help, ['pool', label]),
        collect() {
          this.reset()
          for (const [pool, read] of readings) {
            for (const [value, count] of Object.entries(countsOf(read()))) {
              this.inc({ pool, [label]: value }, count)
            }
          }
        },
      })
    readCounter(
      'pages_total',
      'Pages that came whole, by what carried them',
      'transport',
      ({ pages }) => pages,
    )
    readCounter(
      'page_cache_answers_total',
      'Pages that the cache was asked for, by its answer',
      'answer',
      ({ cache }) =>
        cache ? { hit: cache.hits, miss: cache.misses, stale: cache.stale, bypass: cache.bypassed } : {},
    )
    const delay = this.#delay
    new Gauge({
      ...config(
        'event_loop_delay_p99_seconds',
        "Main thread: its event loop's delay since the last scrape",
        [],
      ),
      collect() {
        // A sample is the time between two looks, the pause that was meant included.
        this.set(delay.count > 0 ? Math.max(0, delay.percentile(99) / 1e9 - delayResolutionMs / 1000) : 0)
        delay.reset()
      },
    })
    delay.enable()
  }

  add(pool: string, read: () => PoolReading): void {
    if (this.#readings.has(pool)) {
      throw new TypeError(
        `metrics: the registry has a renderer named "${pool}" already; give one of them another \`name\``,
      )
    }
    this.#readings.set(pool, read)
    // A counter that begins with its first event hides that event from rate().
    for (const event of events) this.threadEvents.inc({ pool, event }, 0)
    for (const code of codes) this.errors.inc({ pool, code }, 0)
  }

  remove(pool: string): void {
    this.#readings.delete(pool)
    if (this.#readings.size === 0) {
      this.#delay.disable()
      for (const name of this.#names) this.#registry.removeSingleMetric(name)
      all.delete(this.#registry)
      return
    }
    for (const kind of kinds) {
      for (const outcome of outcomes) this.renderSeconds.remove({ pool, kind, outcome })
    }
    for (const event of events) this.threadEvents.remove({ pool, event })
    for (const code of codes) this.errors.remove({ pool, code })
    this.waitSeconds.remove({ pool })
    for (const gauge of this.#gauges) gauge.remove({ pool })
  }
}

function loadPromClient(): typeof import('prom-client') {
  try {
    return createRequire(import.meta.url)('prom-client')
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error
    throw new TypeError(
      'metrics needs the package prom-client, which is not installed: npm install prom-client',
      { cause: error },
    )
  }
}
