import { setTimeout as delay } from 'node:timers/promises'
import { createHtmlStore, GuardedRedis, type HtmlStore, type PageKey } from '@scratchyjs/redis-transport'
import type { Cluster, Redis } from 'ioredis'
import { decodeCopy, encodeCopy, type PageCopy } from './page-copy.js'
import { type Generations, PageGenerations } from './page-generations.js'
import { LOCK_MS, PageLock } from './page-lock.js'

const POLL_MS = 20

const MAX_BYTES = 4 * 2 ** 20

/** A tag of every page, and nobody's else: renewed when Redis may have forgotten an invalidation. */
const EVERYTHING = ''

/** What a page is sought by. */
export interface PageSearch {
  key: PageKey
  /** All of its tags, its route's too. */
  tags: readonly string[]
  lifeMs: number
}

/** The place of a page that is not there, taken before its render. */
export interface VacantPlace {
  /** Keeps the page, unless it was invalidated since. Resolves when that is over, and never rejects. */
  fill(copy: PageCopy): Promise<void>
  /** There is no page for others. */
  leave(): Promise<void>
}

/** The pages that all servers share. Redis being out, slow or full never fails a page. */
export class SharedPages {
  readonly #redis: Redis | Cluster
  readonly #prefix: string
  readonly #guarded: GuardedRedis
  readonly #store: HtmlStore
  readonly #generations: PageGenerations
  readonly #underWay = new Set<Promise<unknown>>()

  /** @param timeoutMs how long a page waits for an answer at most */
  constructor(redis: Redis | Cluster, prefix: string, timeoutMs: number) {
    this.#redis = redis
    this.#prefix = prefix
    this.#guarded = new GuardedRedis(redis, timeoutMs, { failures: 5, resetMs: 1000 })
    this.#store = createHtmlStore({ redis, prefix, maxBytes: MAX_BYTES })
    this.#generations = new PageGenerations(redis, prefix)
  }

  /**
   * The page, if it is younger than `maxAgeMs`, or its place; `undefined` when Redis doesn't answer. While another
   * server renders it this waits, for a second at most.
   */
  async find(search: PageSearch, maxAgeMs: number): Promise<PageCopy | VacantPlace | undefined> {
    const deadline = performance.now() + LOCK_MS
    for (;;) {
      const lock = new PageLock(this.#redis, `${this.#prefix}{${search.key}}:lock`)
      const answer = await this.#guarded.run(
        () => this.#look(search, maxAgeMs, lock),
        () => this.#detach(lock.leave(true)), // taken after all, and nobody will render for it
      )
      if ('outage' in answer) return undefined
      const { copy, place } = answer.value
      if (copy || place.isOurs || performance.now() >= deadline) return copy ?? place
      await delay(POLL_MS)
    }
  }

  /** Makes what has one of these tags stale, also what is being rendered. */
  renew(tags: readonly string[]): Promise<void> {
    return this.#generations.renew(tags)
  }

  /** The same for all pages. */
  renewAll(): Promise<void> {
    return this.#generations.renew([EVERYTHING])
  }

  /** Removes one page. */
  drop(key: PageKey): void {
    this.#detach(this.#guarded.run(() => this.#store.delete(key)))
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  async #look({ key, tags, lifeMs }: PageSearch, maxAgeMs: number, lock: PageLock) {
    const all = [EVERYTHING, ...tags]
    const [bytes, current] = await Promise.all([this.#store.getBuffer(key), this.#generations.read(all)])
    const copy = bytes ? decodeCopy(bytes, current) : undefined
    if (copy && performance.now() - copy.at < maxAgeMs) return { copy }
    const [isOurs, later, fence, generations] = await Promise.all([
      lock.take(),
      this.#store.getBuffer(key), // after the lock: who had it may have left the page meanwhile
      this.#store.fence(key),
      this.#generations.begin(all, lifeMs),
    ])
    const laterCopy = later ? decodeCopy(later, generations) : undefined
    if (laterCopy && performance.now() - laterCopy.at < maxAgeMs) {
      this.#detach(lock.leave(true))
      return { copy: laterCopy }
    }
    const ttl = Math.ceil(lifeMs / 1000)
    const place = {
      isOurs,
      fill: (copy: PageCopy) => {
        const bytes = encodeCopy(copy, generations)
        return this.#write(async () => {
          const isWanted =
            bytes.length <= MAX_BYTES && areSame(generations, await this.#generations.read(all))
          if (isWanted) await this.#store.set(key, bytes, { fence, ttl })
          await lock.leave(isWanted)
        })
      },
      leave: () => this.#write(() => lock.leave(false)),
    }
    return { place }
  }

  async #write(command: () => Promise<void>): Promise<void> {
    await this.#detach(this.#guarded.run(command))
  }

  #detach(work: Promise<unknown>): Promise<unknown> {
    const settled: Promise<unknown> = work.catch(() => {}).finally(() => this.#underWay.delete(settled))
    this.#underWay.add(settled)
    return settled
  }
}

function areSame(before: Generations, now: Generations): boolean {
  return Object.keys(before).every(tag => before[tag] === now[tag])
}
