import { LRUCache } from 'lru-cache'
import type { Agreement } from './agreement.js'
import {
  type CoherentCacheOptions,
  checkCacheOptions,
  checkKey,
  checkKeys,
  checkSize,
} from './coherent-cache-options.js'
import { type Generation, TagGenerations } from './tag-generations.js'

/** What has happened in a cache since it was made, and what it holds now. */
export interface CoherentCacheStats {
  /** Calls of `getOrLoad`: each is one of `hits`, `joined`, `misses` and `bypassed`. */
  hits: number
  /** Got the value of a load that was under way. */
  joined: number
  /** Nothing was there, or it had expired. */
  misses: number
  /** Something was there, and was loaded anew because the subscription was out of step. */
  bypassed: number
  /** Loaders called. */
  loads: number
  /** Loaders that failed. */
  failed: number
  /** Values handed over and not stored, because their load began before an invalidation, or before a later load. */
  fenced: number
  /** Stored values that `invalidate` dropped: those under an invalidated tag when they are next asked for. */
  invalidated: number
  flushes: number
  /** Stored values that made room for others. */
  evictions: number
  /** Values stored now, expired and invalidated ones too until they are asked for or make room. */
  size: number
  /** The sum of their sizes, with `maxBytes`; else 0. */
  bytes: number
  /** Distinct tags that stored values and loads under way have now. */
  tags: number
}

/**
 * A cache that obeys invalidations: what was loaded before one is not served after it. Values may be anything,
 * `undefined` too.
 */
export interface CoherentCache<V> {
  /**
   * The stored value, or that of the loader, which is called at once and whose value is stored. Those who ask
   * while it is at work get the same value or the same error; an error is not stored. When an invalidation of
   * the key or of a tag comes meanwhile, they still get the value, but it is not stored, and who asks from then
   * on has it loaded anew.
   *
   * A loader that never ends keeps those waiting who asked before an invalidation, or within a `ttl` of its
   * beginning: give it a deadline. One that asks for its own key waits for itself.
   *
   * @param options.tags names that the value is dropped under too. Those of a key should stay the same: who names
   * one that the stored value does not have loads anew.
   * @throws TypeError for a key or tag that is no non-empty string; RangeError for one over {@link MAX_KEY_BYTES},
   * which nobody could publish, and for a size that is none; what the loader throws
   */
  getOrLoad(
    key: string,
    loader: (key: string) => V | PromiseLike<V>,
    options?: { tags?: readonly string[] },
  ): Promise<V>
  /** What `getOrLoad` would answer without a load; else undefined. Counts nothing, and keeps nothing from eviction. */
  peek(key: string): V | undefined
  /**
   * From now on what has one of these names as its key or as a tag is neither served nor joined. A key's value is
   * dropped at once; those of a tag, however many, when they are asked for or make room, so that it costs no time.
   *
   * @throws TypeError unless it is an array of non-empty strings; RangeError for one over {@link MAX_KEY_BYTES}
   */
  invalidate(keysOrTags: readonly string[]): void
  /** Drops everything at once. */
  flush(): void
  stats(): CoherentCacheStats
}

/** A value that is being loaded, or stored. */
interface Copy<V> {
  readonly key: string
  readonly tags: readonly Generation[]
  /** Before the loader was called: what was written later may not be in the value. */
  readonly startedAt: number
  /** While it is being loaded. */
  pending: Promise<V> | undefined
  /** Once it is stored. */
  value: V | undefined
}

/** {@link CoherentCache}, and the side that its subscription sees. */
export class FencedCache<V> implements CoherentCache<V> {
  readonly #stored: LRUCache<string, Copy<V>>
  /** The latest load of each key. Only such a one is joined and stored: an invalidation of the key takes it out. */
  readonly #loads = new Map<string, Copy<V>>()
  readonly #tags = new TagGenerations()
  readonly #sizeOf: CoherentCacheOptions<V>['sizeOf']
  readonly #ttlMs: number
  readonly #maxStaleMs: number
  readonly #now: () => number
  readonly #counts = {
    hits: 0,
    joined: 0,
    misses: 0,
    bypassed: 0,
    loads: 0,
    failed: 0,
    fenced: 0,
    invalidated: 0,
    flushes: 0,
    evictions: 0,
  }
  #agreement: Agreement | undefined
  #isFollowing = false

  constructor(options: CoherentCacheOptions<V>, now: () => number = () => performance.now()) {
    const { max, ttl, maxStaleMs, maxBytes, sizeOf } = checkCacheOptions(options)
    this.#ttlMs = ttl * 1000
    this.#maxStaleMs = maxStaleMs
    this.#sizeOf = sizeOf
    this.#now = now
    this.#stored = new LRUCache({
      max,
      ...(maxBytes === undefined ? {} : { maxSize: maxBytes }),
      dispose: (copy, _, reason) => {
        this.#releaseTags(copy)
        if (reason === 'evict') this.#counts.evictions += 1
      },
    })
  }

  async getOrLoad(
    key: string,
    loader: (key: string) => V | PromiseLike<V>,
    { tags = [] }: { tags?: readonly string[] } = {},
  ): Promise<V> {
    checkKey('key', key)
    checkKeys('tags', tags)
    if (typeof loader !== 'function') throw new TypeError(`loader must be a function, not ${loader}`)
    const now = this.#now()
    let hasOutdated = false
    for (const copy of [this.#stored.get(key), this.#loads.get(key)]) {
      if (!copy || this.#hasExpired(copy, now) || !hasTags(copy, tags)) continue
      if (isInvalidated(copy)) {
        this.#drop(copy)
        continue
      }
      if (this.#isCurrent(copy, now)) {
        this.#counts[copy.pending ? 'joined' : 'hits'] += 1
        return copy.pending ?? (copy.value as V)
      }
      hasOutdated = true
    }
    this.#counts[hasOutdated ? 'bypassed' : 'misses'] += 1
    const held = [...new Set(tags)].map(tag => this.#tags.hold(tag))
    return this.#load({ key, tags: held, startedAt: now, pending: undefined, value: undefined }, loader)
  }

  peek(key: string): V | undefined {
    const copy = this.#stored.peek(key)
    const now = this.#now()
    if (!copy || this.#hasExpired(copy, now) || isInvalidated(copy)) return undefined
    return this.#isCurrent(copy, now) ? copy.value : undefined
  }

  invalidate(keysOrTags: readonly string[]): void {
    checkKeys('keysOrTags', keysOrTags)
    for (const name of keysOrTags) {
      this.#drop(this.#stored.peek(name))
      this.#drop(this.#loads.get(name))
      this.#tags.invalidate(name)
    }
  }

  flush(): void {
    this.#counts.flushes += 1
    for (const copy of this.#loads.values()) this.#endLoad(copy)
    this.#stored.clear()
  }

  stats(): CoherentCacheStats {
    const { size, calculatedSize } = this.#stored
    return { ...this.#counts, size, bytes: calculatedSize, tags: this.#tags.size }
  }

  /**
   * From now on this subscription keeps the cache in step. What the cache holds already goes: nobody told it
   * what became stale before.
   *
   * @throws TypeError while it follows another
   */
  follow(agreement: Agreement): void {
    if (this.#isFollowing)
      throw new TypeError(
        'cache already follows a subscription: it obeys one at a time, until its unsubscribe()',
      )
    this.#isFollowing = true
    this.#agreement = agreement
    this.flush()
  }

  /** The subscription has ended. Without its agreement the cache is out of step from now on. */
  unfollow(): void {
    this.#isFollowing = false
  }

  #load(copy: Copy<V>, loader: (key: string) => V | PromiseLike<V>): Promise<V> {
    const superseded = this.#loads.get(copy.key)
    if (superseded) this.#endLoad(superseded)
    this.#loads.set(copy.key, copy)
    this.#counts.loads += 1
    // There before the loader is called, which may ask this cache itself.
    let settle: (value: Promise<V>) => void = () => {}
    copy.pending = new Promise(resolve => {
      settle = resolve
    })
    settle(this.#run(copy, loader))
    return copy.pending
  }

  async #run(copy: Copy<V>, loader: (key: string) => V | PromiseLike<V>): Promise<V> {
    try {
      const value = await loader(copy.key)
      const size = this.#sizeOf && { size: checkSize(this.#sizeOf(value, copy.key)) }
      if (this.#isLatest(copy) && !isInvalidated(copy)) this.#store(copy, value, size)
      else this.#counts.fenced += 1
      return value
    } catch (error) {
      this.#counts.failed += 1
      throw error
    } finally {
      if (this.#isLatest(copy)) this.#endLoad(copy)
    }
  }

  #isLatest(copy: Copy<V>): boolean {
    return this.#loads.get(copy.key) === copy
  }

  #store(copy: Copy<V>, value: V, size: { size: number } | undefined): void {
    this.#loads.delete(copy.key)
    copy.pending = undefined
    copy.value = value
    this.#stored.set(copy.key, copy, size)
    const isTooLarge = this.#stored.peek(copy.key) !== copy
    if (isTooLarge) this.#releaseTags(copy)
  }

  #drop(copy: Copy<V> | undefined): void {
    if (copy?.pending) this.#endLoad(copy)
    else if (copy && this.#stored.delete(copy.key)) this.#counts.invalidated += 1
  }

  /** What the load will bring is for those who wait for it, and no one else. */
  #endLoad(copy: Copy<V>): void {
    this.#loads.delete(copy.key)
    this.#releaseTags(copy)
  }

  #releaseTags({ tags }: Copy<V>): void {
    for (const generation of tags) this.#tags.release(generation)
  }

  #hasExpired({ startedAt }: Copy<V>, now: number): boolean {
    return now - startedAt >= this.#ttlMs
  }

  /** Whether nothing is known to be missing in it, or not for long. */
  #isCurrent({ startedAt }: Copy<V>, now: number): boolean {
    const agreement = this.#agreement
    if (!agreement || agreement.holds) return true
    return now - Math.max(agreement.last, startedAt) < this.#maxStaleMs
  }
}

function hasTags({ tags: held }: Copy<unknown>, tags: readonly string[]): boolean {
  return tags.every(tag => held.some(generation => generation.tag === tag))
}

/** By one of its tags. One whose key is invalidated is no longer there. */
function isInvalidated({ tags }: Copy<unknown>): boolean {
  return tags.some(({ isOver }) => isOver)
}

/**
 * An LRU cache for values that others make stale: give it to `subscribeToCacheInvalidation` as `cache`, and what
 * is published drops its keys and tags. Without a subscription, only `invalidate` and `flush` do.
 *
 * @throws TypeError or RangeError for a bad option
 */
export function createCoherentCache<V>(options: CoherentCacheOptions<V>): CoherentCache<V> {
  return new FencedCache(options)
}
