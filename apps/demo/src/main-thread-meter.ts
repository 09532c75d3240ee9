import { performance } from 'node:perf_hooks'
import type { PageCost } from './stats.js'

/** How a page was made. Where several are under way, the time counts for the first in this order. */
const kinds = ['onMainThread', 'inWorkers', 'fromCache'] as const
export type PageKind = (typeof kinds)[number]

/** A page under way. */
export interface MeteredPage {
  /** It is of another kind than was thought; without effect after its end. */
  becomes(kind: PageKind): void
  /** Its answer has been sent, or its client has gone. */
  end(): void
}

/**
 * How many milliseconds of the main thread a page takes: the time its event loop was busy while pages were under way,
 * divided by the pages. Waiting for a worker is idle time and doesn't count, even with many pages at once. While a page
 * is rendered on the main thread itself, all of its time is counted as that page's.
 */
export class MainThreadMeter {
  readonly #busyMs = { onMainThread: 0, inWorkers: 0, fromCache: 0 }
  readonly #pages = { onMainThread: 0, inWorkers: 0, fromCache: 0 }
  readonly #underWay = { onMainThread: 0, inWorkers: 0, fromCache: 0 }
  #mark = 0

  /** A page's request came in. */
  begin(kind: PageKind): MeteredPage {
    let now: PageKind | undefined = kind
    const move = (next: PageKind | undefined) => {
      if (!now) return
      this.#settle()
      this.#underWay[now]--
      if (next) this.#underWay[next]++
      else this.#pages[now]++
      now = next
    }
    this.#settle()
    this.#underWay[kind]++
    return { becomes: move, end: () => move(undefined) }
  }

  cost(kind: PageKind): PageCost {
    this.#settle()
    const pages = this.#pages[kind]
    const mainThreadMs = this.#busyMs[kind]
    return { pages, mainThreadMs, msPerPage: pages === 0 ? null : mainThreadMs / pages }
  }

  #settle(): void {
    const busy = performance.eventLoopUtilization().active
    const kind = kinds.find(kind => this.#underWay[kind] > 0)
    if (kind) this.#busyMs[kind] += busy - this.#mark
    this.#mark = busy
  }
}
