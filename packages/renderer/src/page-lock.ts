import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'

/** How long a render keeps other servers waiting at most, in milliseconds. */
export const LOCK_MS = 1000

/** What a render leaves whose page is for nobody else: the next servers don't wait for each other. */
const PASS = 'pass'

const taking = `
local holder = redis.call('GET', KEYS[1])
if holder then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`

const leaving = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`

/** One attempt to be the server that renders a page. It ends by itself, should its server die. */
export class PageLock {
  readonly #redis: Redis | Cluster
  readonly #key: string
  readonly #token = randomUUID()

  constructor(redis: Redis | Cluster, key: string) {
    this.#redis = redis
    this.#key = key
  }

  /** Whether to render: as the one that holds it, or because waiting leads nowhere. */
  async take(): Promise<boolean> {
    const holder = await this.#redis.eval(taking, 1, this.#key, this.#token, LOCK_MS)
    return holder === this.#token || holder === PASS
  }

  /** Lets those who wait go on; does nothing without the lock. */
  async leave(isStored: boolean): Promise<void> {
    await this.#redis.eval(leaving, 1, this.#key, this.#token, isStored ? '' : PASS, LOCK_MS)
  }
}
