import { randomBytes } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { checkPositive, checkRedis, checkTtl, named } from './argument.js'
import { RedisTransportError, redisFailure } from './error.js'
import { HtmlKeys } from './html-keys.js'
import { checkPageKey, type PageKey } from './page-key.js'
import { RedisScript } from './redis-script.js'

/** Where pages are kept, and for how long. */
export interface HtmlStoreOptions {
  redis: Redis | Cluster
  /** Seconds until Redis forgets a page, a positive integer up to a year; 300 by default. */
  ttl?: number
  /** What all keys begin with, `html:` by default; 1 to 64 characters without braces. */
  prefix?: string
  /** Largest page in bytes of UTF-8, 4 MiB by default. */
  maxBytes?: number
}

/** How one page is stored. */
export interface SetHtmlOptions {
  /** What `fence` answered before the page was loaded: it is stored only if nothing was deleted since. */
  fence?: string
  /** Seconds, in place of the store's. */
  ttl?: number
}

/** What a store has done since it was made, in this process. */
export interface HtmlStoreStats {
  hits: number
  misses: number
  /** Pages stored. */
  stores: number
  /** Pages not stored because they were deleted while they were loaded. */
  fenced: number
  /** Calls that failed because of Redis. */
  errors: number
}

/**
 * Pages in Redis. Any number of processes may share one. Every call rejects with a {@link RedisTransportError}
 * when Redis is out, and with `TypeError` for a key that was not made by `pageKey`.
 */
export interface HtmlStore {
  /** The page as text, or null. */
  get(key: PageKey): Promise<string | null>
  /** The page's bytes, or null. */
  getBuffer(key: PageKey): Promise<Buffer | null>
  /**
   * Stores a page, text or its UTF-8; bytes are copied before the call returns.
   *
   * @returns whether it was stored: `false` only with a fence, when the page was deleted meanwhile
   * @throws RedisTransportError `PAGE_TOO_LARGE`, nothing is stored
   */
  set(key: PageKey, html: string | Uint8Array, options?: SetHtmlOptions): Promise<boolean>
  /**
   * To be asked before a page is loaded, for `set`. A page that takes longer than 5 minutes to load isn't stored.
   */
  fence(key: PageKey): Promise<string>
  /** Removes a page and its fence in one step: what began to load before can't be stored any more. */
  delete(key: PageKey): Promise<void>
  /** The same for all pages under the prefix, with SCAN; a page whose load began while it ran may go as well. */
  clear(): Promise<void>
  stats(): HtmlStoreStats
}

const fenceTtl = 300
const fenceShape = /^[\w-]{22}$/

const getFence = new RedisScript(`
local fence = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], fence, 'EX', ARGV[2])
return fence
`)

const setFenced = new RedisScript(`
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1
`)

/**
 * A store of HTML pages in Redis, each under a key of `pageKey` and with a time to live.
 *
 * @throws RangeError or TypeError naming the option
 */
export function createHtmlStore(options: HtmlStoreOptions): HtmlStore {
  return new RedisHtmlStore(options)
}

class RedisHtmlStore implements HtmlStore {
  readonly #redis: Redis | Cluster
  readonly #ttl: number
  readonly #keys: HtmlKeys
  readonly #maxBytes: number
  readonly #stats: HtmlStoreStats = { hits: 0, misses: 0, stores: 0, fenced: 0, errors: 0 }

  constructor({ redis, ttl = 300, prefix = 'html:', maxBytes = 4 * 1024 * 1024 }: HtmlStoreOptions) {
    checkRedis(redis)
    this.#redis = redis
    this.#ttl = checkTtl(ttl)
    this.#keys = new HtmlKeys(prefix)
    this.#maxBytes = checkPositive('maxBytes', maxBytes)
  }

  async get(key: PageKey): Promise<string | null> {
    const name = this.#keys.page(checkPageKey(key))
    return this.#counted(await this.#ask(`read page ${key}`, () => this.#redis.get(name)))
  }

  async getBuffer(key: PageKey): Promise<Buffer | null> {
    const name = this.#keys.page(checkPageKey(key))
    return this.#counted(await this.#ask(`read page ${key}`, () => this.#redis.getBuffer(name)))
  }

  async set(key: PageKey, html: string | Uint8Array, options: SetHtmlOptions = {}): Promise<boolean> {
    const page = this.#keys.page(checkPageKey(key))
    const ttl = checkTtl(options.ttl ?? this.#ttl)
    const bytes = this.#bytesOf(key, html)
    const isStored =
      'fence' in options
        ? await this.#setFenced(key, bytes, checkFence(options.fence), ttl)
        : await this.#ask(`store page ${key}`, () => this.#redis.set(page, bytes, 'EX', ttl))
    this.#stats[isStored ? 'stores' : 'fenced'] += 1
    return Boolean(isStored)
  }

  async fence(key: PageKey): Promise<string> {
    const name = this.#keys.fence(checkPageKey(key))
    const made = randomBytes(16).toString('base64url')
    return await this.#ask(`fence page ${key}`, async () =>
      String(await getFence.run(this.#redis, [name], [made, fenceTtl])),
    )
  }

  async delete(key: PageKey): Promise<void> {
    const names = [this.#keys.page(checkPageKey(key)), this.#keys.fence(key)] as const
    await this.#ask(`delete page ${key}`, () => this.#redis.unlink(...names))
  }

  async clear(): Promise<void> {
    // Fences first: while one is there, a page loaded before could be stored behind the back of SCAN.
    await this.#ask('clear the pages', () => this.#keys.removeAll(this.#redis, 'fences'))
    await this.#ask('clear the pages', () => this.#keys.removeAll(this.#redis, 'pages'))
  }

  stats(): HtmlStoreStats {
    return { ...this.#stats }
  }

  async #setFenced(key: PageKey, bytes: string | Buffer, fence: string, ttl: number): Promise<boolean> {
    const names = [this.#keys.page(key), this.#keys.fence(key)]
    return await this.#ask(
      `store page ${key}`,
      async () => (await setFenced.run(this.#redis, names, [bytes, fence, ttl])) === 1,
    )
  }

  #bytesOf(key: PageKey, html: string | Uint8Array): string | Buffer {
    if (typeof html !== 'string' && !(html instanceof Uint8Array))
      throw new TypeError(`html must be a string or a Uint8Array, not ${named(html)}`)
    const bytes = typeof html === 'string' ? Buffer.byteLength(html) : html.byteLength
    if (bytes > this.#maxBytes)
      throw new RedisTransportError(
        'PAGE_TOO_LARGE',
        `Cannot store page ${key} of ${bytes} bytes: the cap is ${this.#maxBytes}`,
      )
    return typeof html === 'string' ? html : Buffer.from(html)
  }

  #counted<T>(page: T | null): T | null {
    this.#stats[page === null ? 'misses' : 'hits'] += 1
    return page
  }

  async #ask<T>(action: string, command: () => Promise<T>): Promise<T> {
    try {
      return await command()
    } catch (cause) {
      this.#stats.errors += 1
      throw redisFailure(action, cause)
    }
  }
}

function checkFence(fence: unknown): string {
  if (typeof fence !== 'string' || !fenceShape.test(fence))
    throw new TypeError(`fence must be what fence(key) answered, not ${named(fence)}`)
  return fence
}
