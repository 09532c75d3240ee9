import type { PageCacheStats } from '@scratchyjs/renderer'
import { cachedPercent, type Sample } from './stats.js'

const intervalMs = 2000
const length = 60

/** What a sample is made of; all but the last only ever grow. */
export interface Reading {
  requests: number
  inWorkers: { pages: number; mainThreadMs: number }
  cache: PageCacheStats
  renderP50: number
}

/** The last two minutes of a server, for the dashboard's curves. */
export class History {
  readonly #read: () => Reading
  readonly #timer: NodeJS.Timeout
  readonly #samples: Sample[] = []
  #last: Reading
  #lastAt = performance.now()

  constructor(read: () => Reading) {
    this.#read = read
    this.#last = read()
    this.#timer = setInterval(() => this.#sample(), intervalMs).unref()
  }

  get samples(): Sample[] {
    return [...this.#samples]
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    const now = performance.now()
    const reading = this.#read()
    const pages = reading.inWorkers.pages - this.#last.inWorkers.pages
    this.#samples.push({
      requestsPerSecond: ((reading.requests - this.#last.requests) * 1000) / (now - this.#lastAt),
      renderP50: reading.renderP50,
      mainThreadMsPerPage:
        pages === 0 ? 0 : (reading.inWorkers.mainThreadMs - this.#last.inWorkers.mainThreadMs) / pages,
      cachedPercent: cachedPercent(reading.cache, this.#last.cache) ?? 0,
    })
    if (this.#samples.length > length) this.#samples.shift()
    this.#last = reading
    this.#lastAt = now
  }
}
