import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type CoherentCache, createCoherentCache, MAX_KEY_BYTES } from '@scratchyjs/cache-invalidation'
import type { PageKey } from '@scratchyjs/redis-transport'
import { describe } from './error-transfer.js'
import { integer } from './options.js'
import {
  names,
  type PageCacheOptions,
  type PageCaching,
  type ResolvedCaching,
  resolveCaching,
  seconds,
} from './page-cache-options.js'
import type { VacantPlace } from './page-cache-redis.js'
import { PageSharing } from './page-cache-sharing.js'
import { copyOf, isStorable, type PageCopy, sizeOfCopy } from './page-copy.js'
import type { Page } from './page-transport.js'

/** What of the cached pages is stale: pages of these routes, and pages with these tags. */
export interface Invalidation {
  /** Routes: the paths, or what the context's `route` was. */
  keys?: readonly string[]
  tags?: readonly string[]
}

/** Requests whose route opted in, by how they were answered. */
export interface PageCacheStats {
  /** With a page that was there, or that another request had begun. */
  hits: number
  /** With a page rendered for them, or with an error. */
  misses: number
  /** At once, with a page past its `ttl`. */
  stale: number
  /** With a page of their own, for they had a cookie, say. */
  bypassed: number
}

/** A page as the cache hands it out. */
export interface ServedPage extends Page {
  /** Of a page that others get too. */
  etag?: string
  /** Seconds since its render, of a page that was not rendered for this request. */
  age?: number
}

/** What the cache asks of a route. */
export interface PageQuest {
  key: PageKey
  route: string
  caching: ResolvedCaching
  /** Makes the page, for all who ask. `isPersonal`: it is only for who asked first, after all. */
  render(): Promise<{ page: Page; isPersonal: boolean }>
}

/** A load's page that is not for those who joined. */
const notShared = new Error('The page is not for others')

const repeatReportsMs = 60_000

/** Rendered pages, in memory and in a Redis that servers share. */
export class PageCache {
  readonly counts: PageCacheStats = { hits: 0, misses: 0, stale: 0, bypassed: 0 }
  readonly #build: string
  readonly #reloads: () => number
  readonly #id = randomUUID()
  readonly #memory: CoherentCache<PageCopy>
  readonly #sharing: PageSharing | undefined
  readonly #ttl: number
  readonly #onError: (error: Error) => void
  readonly #reported = new Map<string, number>()

  /** @param reloads how often the worker file was loaded anew */
  constructor(options: PageCacheOptions, worker: URL, reloads: () => number) {
    if (typeof options !== 'object' || options === null) {
      throw new TypeError(`cache must be an object of options, and is ${describe(options)}`)
    }
    const { ttl = 60, maxStaleMs = 5000, prefix = 'html:', redis } = options
    const max = integer('cache.max', options.max, 1000, 1, 2 ** 24)
    const maxBytes = integer('cache.maxSize', options.maxSize, 2 ** 26, 1, Number.MAX_SAFE_INTEGER)
    const timeoutMs = integer('cache.redisTimeoutMs', options.redisTimeoutMs, 50, 1, 60_000)
    this.#build = options.build ?? createHash('sha256').update(readFileSync(worker)).digest('hex')
    this.#reloads = reloads
    this.#ttl = seconds('cache.ttl', ttl)
    this.#onError = options.onError ?? (() => {})
    this.#memory = createCoherentCache({ max, maxBytes, sizeOf: sizeOfCopy, maxStaleMs })
    this.#sharing =
      redis === undefined
        ? undefined
        : new PageSharing(redis, prefix, timeoutMs, this.#memory, error => this.#report(error))
  }

  /** What is in every key. After a reload of the worker no other server can know which code renders here. */
  get build(): string {
    const reloads = this.#reloads()
    return reloads === 0 ? this.#build : `${this.#build} ${this.#id} ${reloads}`
  }

  /** Checks what a route asks for. */
  resolve(caching: PageCaching): ResolvedCaching {
    return resolveCaching(caching, this.#ttl)
  }

  /** Whether pages of the route can be invalidated by it. */
  canHold(route: unknown): boolean {
    return typeof route === 'string' && Buffer.byteLength(tagOf(route)) <= MAX_KEY_BYTES
  }

  /** The page, kept or rendered now. Rejects as its render does. */
  async find(quest: PageQuest): Promise<ServedPage> {
    const { key, caching } = quest
    const load: PageLoad = {}
    const kept = this.#memory.peek(key)
    const isOver = kept !== undefined && performance.now() - kept.at >= caching.lifeMs
    let copy: PageCopy
    try {
      copy = await this.#load(quest, load, caching.lifeMs, isOver ? kept : undefined)
    } catch (error) {
      this.counts.misses++
      if (error !== notShared) throw error
      return load.page ?? (await quest.render()).page
    }
    const age = performance.now() - copy.at
    if (load.isRendered) {
      this.counts.misses++
      return served(copy)
    }
    if (age < caching.ttlMs) this.counts.hits++
    else {
      this.counts.stale++
      this.#refresh(quest, copy)
    }
    return { ...served(copy), age: Math.floor(age / 1000) }
  }

  /** Drops pages here at once, and on every server before it resolves. */
  async invalidate({ keys, tags }: Invalidation): Promise<void> {
    const stale = [...names('keys', keys).map(tagOf), ...names('tags', tags)]
    if (stale.length === 0) throw new TypeError('invalidate: keys or tags must name something')
    this.#memory.invalidate(stale)
    await this.#sharing?.invalidate(stale)
  }

  async close(): Promise<void> {
    await this.#sharing?.close()
  }

  /** One load for all who ask meanwhile. With `replaced` its page takes that one's place. */
  #load(quest: PageQuest, load: PageLoad, maxAgeMs: number, replaced?: PageCopy): Promise<PageCopy> {
    const tags = tagsOf(quest)
    // A tag that the kept page lacks is what makes the cache load anew and yet keep it until then.
    const fresh = replaced ? [`${replaced.at} replaced`] : []
    return this.#memory.getOrLoad(quest.key, () => this.#run(quest, load, maxAgeMs), {
      tags: [...tags, ...fresh],
    })
  }

  async #run(quest: PageQuest, load: PageLoad, maxAgeMs: number): Promise<PageCopy> {
    const { key, caching } = quest
    const search = { key, tags: tagsOf(quest), lifeMs: caching.lifeMs }
    const found = await this.#sharing?.pages?.find(search, maxAgeMs)
    if (found && 'body' in found) return found
    const copy = await this.#render(quest, load, found)
    // Not awaited: this page waits for Redis no longer.
    void found?.fill(copy)
    return copy
  }

  async #render(quest: PageQuest, load: PageLoad, place: VacantPlace | undefined): Promise<PageCopy> {
    try {
      const at = performance.now()
      const { page, isPersonal } = await quest.render()
      if (!isPersonal && isStorable(page)) {
        load.isRendered = true
        return copyOf(page, at)
      }
      load.page = page
      throw notShared
    } catch (error) {
      void place?.leave()
      throw error
    }
  }

  /** Renders the page anew for those who come later; once, however many ask. */
  #refresh(quest: PageQuest, stale: PageCopy): void {
    const load: PageLoad = {}
    this.#load(quest, load, quest.caching.ttlMs, stale).catch(error => {
      if (error !== notShared) this.#report(error)
      if (!load.page) return
      load.page.release()
      // The route has no page for everyone any more. A failure says nothing of the kind.
      if (load.page.statusCode >= 500) return
      if (this.#memory.peek(quest.key) === stale) this.#memory.invalidate([quest.key])
      this.#sharing?.pages?.drop(quest.key)
    })
  }

  #report(error: Error & { code?: string }): void {
    const kind = `${error.code ?? error.message}`
    const now = performance.now()
    if (now - (this.#reported.get(kind) ?? Number.NEGATIVE_INFINITY) < repeatReportsMs) return
    if (this.#reported.size > 100) this.#reported.clear()
    this.#reported.set(kind, now)
    this.#onError(error)
  }
}

/** How a load went, for the request that began it. */
interface PageLoad {
  isRendered?: boolean
  /** Only for that request. */
  page?: Page
}

const tagOf = (route: string) => `route:${route}`
const tagsOf = ({ route, caching }: PageQuest) => [tagOf(route), ...caching.tags]
const nothingToRelease = () => {}

function served({ body, headers, etag }: PageCopy): ServedPage {
  return { body, headers, etag, statusCode: 200, release: nothingToRelease }
}
