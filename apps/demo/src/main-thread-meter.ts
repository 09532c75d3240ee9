import { performance } from 'node:perf_hooks'
import type { PageCost } from './stats.js'

type Kind = 'inWorkers' | 'onMainThread'

/**
 * How many milliseconds of the main thread a page takes: the time its event loop was busy while pages were under way,
 * divided by the pages. Waiting for a worker is idle time and doesn't count, even with many pages at once. While a page
 * is rendered on the main thread itself, all of its time is counted as that page's.
 */
export class MainThreadMeter {
  readonly #busyMs = { inWorkers: 0, onMainThread: 0 }
  readonly #pages = { inWorkers: 0, onMainThread: 0 }
  readonly #underWay = { inWorkers: 0, onMainThread: 0 }
  #mark = 0

  /** A page's request came in; call what it returns when the answer has been sent or the client has gone. */
  begin(kind: Kind): () => void {
    this.#settle()
    this.#underWay[kind]++
    let ended = false
    return () => {
      if (ended) return
      ended = true
      this.#settle()
      this.#underWay[kind]--
      this.#pages[kind]++
    }
  }

  cost(kind: Kind): PageCost {
    this.#settle()
    const pages = this.#pages[kind]
    const mainThreadMs = this.#busyMs[kind]
    return { pages, mainThreadMs, msPerPage: pages === 0 ? null : mainThreadMs / pages }
  }

  #settle(): void {
    const busy = performance.eventLoopUtilization().active
    const kind = this.#underWay.onMainThread > 0 ? 'onMainThread' : 'inWorkers'
    if (this.#underWay[kind] > 0) this.#busyMs[kind] += busy - this.#mark
    this.#mark = busy
  }
}
