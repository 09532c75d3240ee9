import { randomBytes } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'

/** How long an invalidation is kept at least, in seconds. What is forgotten counts as invalidated. */
const KEPT = 3600

/** The generation, made if there is none, and kept for at least so many seconds from now on. */
const beginning = `
local generation = redis.call('GET', KEYS[1])
if not generation then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
  return ARGV[1]
end
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return generation
`

/** A script, for a client of a cluster may be set to read from replicas, which lag behind. */
const reading = "return redis.call('GET', KEYS[1])"

/** By name, as they are in Redis. */
export type Generations = Readonly<Record<string, string | null>>

/**
 * The channel of invalidations, and what the names of its log and of all generations begin with. The braces keep those
 * on one node of a cluster: a failover that loses generations is then one of the log, which is noticed.
 */
export function invalidationsOf(prefix: string): string {
  return `${prefix}{invalidate}`
}

/**
 * The generation of each tag in Redis. A page is kept with those of its tags from before its render; it is good as
 * long as all are the same. So one write makes all pages of a tag stale, those that are still being rendered too.
 */
export class PageGenerations {
  readonly #redis: Redis | Cluster
  readonly #prefix: string

  constructor(redis: Redis | Cluster, prefix: string) {
    this.#redis = redis
    this.#prefix = `${invalidationsOf(prefix)}:tag:`
  }

  /** Those that there are. */
  read(tags: readonly string[]): Promise<Generations> {
    return this.#each(tags, async key => (await this.#redis.eval(reading, 1, key)) as string | null)
  }

  /** To be asked before a render: each has one now, and for longer than a page lives that is stored with it. */
  begin(tags: readonly string[], lifeMs: number): Promise<Record<string, string>> {
    // A page is stored only after its render, which may take long.
    const ttl = Math.ceil(lifeMs / 1000) + KEPT
    return this.#each(tags, async key => String(await this.#redis.eval(beginning, 1, key, made(), ttl)))
  }

  /** What was stored with the earlier generation, or will be, is stale. */
  async renew(tags: readonly string[]): Promise<void> {
    await this.#each(tags, key => this.#redis.set(key, made(), 'EX', KEPT))
  }

  // One command for each: no number of tags keeps Redis from others for long.
  async #each<T>(tags: readonly string[], ask: (key: string) => Promise<T>): Promise<Record<string, T>> {
    const answers = tags.map(async tag => [tag, await ask(this.#prefix + tag)] as const)
    return Object.fromEntries(await Promise.all(answers))
  }
}

const made = () => randomBytes(12).toString('base64url')
