import type { Cluster, Redis } from 'ioredis'
import { named } from './argument.js'
import type { PageKey } from './page-key.js'

const FENCE = ':fence'
const SCAN_COUNT = 1000

/** The names under which a store keeps its pages and fences. */
export class HtmlKeys {
  readonly #prefix: string

  constructor(prefix: string) {
    // Braces would move the hash tag, control characters break logs.
    if (typeof prefix !== 'string' || !/^[^{}\p{Cc}]{1,64}$/u.test(prefix))
      throw new TypeError(
        `prefix must be a string of 1 to 64 characters without braces and control characters, not ${named(prefix)}`,
      )
    this.#prefix = prefix
  }

  // The braces put both keys of a page into one slot of a cluster: a script may use only one.
  page(key: PageKey): string {
    return `${this.#prefix}{${key}}`
  }

  fence(key: PageKey): string {
    return this.page(key) + FENCE
  }

  /** Removes all fences or all pages that are there when it begins, of each master of a cluster. */
  async removeAll(redis: Redis | Cluster, kind: 'fences' | 'pages'): Promise<void> {
    // Until a cluster has connected it knows no masters: any command makes it.
    if (redis.status !== 'ready') await redis.unlink(`${this.#prefix}{}`)
    const nodes = 'nodes' in redis ? redis.nodes('master') : [redis]
    await Promise.all(nodes.map(node => this.#removeFrom(node, redis, kind === 'fences' ? FENCE : '')))
  }

  async #removeFrom(node: Redis, redis: Redis | Cluster, ending: string): Promise<void> {
    // SCAN knows nothing of the client's own prefix, which all other commands put before a key.
    const keyPrefix = redis.options.keyPrefix ?? ''
    const start = `${keyPrefix}${this.#prefix}{`
    const pattern = `${start.replace(/[*?[\]\\]/g, '\\$&')}*}${ending}`
    let cursor = '0'
    do {
      const [next, found] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
      cursor = next
      // One key for each command: keys of one node may be of many slots.
      await Promise.all(found.map(key => redis.unlink(key.slice(keyPrefix.length))))
    } while (cursor !== '0')
  }
}
