import { performance } from 'node:perf_hooks'
import type { PageCost } from './stats.js'

/** How a page was made. Where several are under way, the time counts for one of the first in this order. */
const kinds = ['onMainThread', 'inWorkers', 'fromCache'] as const
export type PageKind = (typeof kinds)[number]

/** A page under way. */
export interface MeteredPage {
  /** It is of another kind than was thought, and so was its time; without effect after its end. */
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
  /** Of the pages that have ended. */
  readonly #ended = perKind(() => ({ pages: 0, busyMs: 0 }))
  /** The time of each, so that a page takes it along to another kind. */
  readonly #underWay = perKind(() => new Set<{ busyMs: number }>())
  #mark = 0

  /** A page's request came in. */
  begin(kind: PageKind): MeteredPage {
    const page = { busyMs: 0 }
    let now: PageKind | undefined = kind
    const move = (next: PageKind | undefined) => {
      if (!now) return
      this.#settle()
      this.#underWay[now].delete(page)
      if (next) this.#underWay[next].add(page)
      else {
        this.#ended[now].pages++
        this.#ended[now].busyMs += page.busyMs
      }
      now = next
    }
    this.#settle()
    this.#underWay[kind].add(page)
    return { becomes: move, end: () => move(undefined) }
  }

  cost(kind: PageKind): PageCost {
    this.#settle()
    const { pages, busyMs } = this.#ended[kind]
    let mainThreadMs = busyMs
    for (const page of this.#underWay[kind]) mainThreadMs += page.busyMs
    return { pages, mainThreadMs, msPerPage: pages === 0 ? null : mainThreadMs / pages }
  }

  #settle(): void {
    const busy = performance.eventLoopUtilization().active
    const kind = kinds.find(kind => this.#underWay[kind].size > 0)
    const [page] = kind ? this.#underWay[kind] : []
    if (page) page.busyMs += busy - this.#mark
    this.#mark = busy
  }
}

const perKind = <Value>(make: () => Value): Record<PageKind, Value> => ({
  onMainThread: make(),
  inWorkers: make(),
  fromCache: make(),
})
