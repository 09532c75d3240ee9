import { GuardedRedis } from '@scratchyjs/redis-transport'
import type { Redis } from 'ioredis'
import type { ServerStats } from './stats.js'

const key = 'portal:servers'
const everyMs = 2000
/** Who has said nothing for so long has gone. */
const goneAfterMs = 3 * everyMs

/** What every server on the same Redis says of itself, so that each can show all of them. */
export class Roster {
  readonly #redis: Redis
  readonly #guarded: GuardedRedis
  readonly #own: () => ServerStats
  readonly #timer: NodeJS.Timeout

  constructor(redis: Redis, own: () => ServerStats) {
    this.#redis = redis
    this.#guarded = new GuardedRedis(redis, 100, { failures: 3, resetMs: everyMs })
    this.#own = own
    this.#timer = setInterval(() => this.#tell(), everyMs).unref()
    void this.#tell()
  }

  /** The others; none while Redis doesn't answer. */
  async others(): Promise<ServerStats[]> {
    const answer = await this.#guarded.run(() => this.#redis.hgetall(key))
    if ('outage' in answer) return []
    const { server } = this.#own()
    return Object.values(answer.value)
      .map(text => JSON.parse(text) as { at: number; stats: ServerStats })
      .filter(({ at, stats }) => stats.server !== server && Date.now() - at < goneAfterMs)
      .map(({ stats }) => stats)
  }

  /** Takes this server out. */
  async leave(): Promise<void> {
    clearInterval(this.#timer)
    await this.#guarded.run(() => this.#redis.hdel(key, this.#own().server))
  }

  async #tell(): Promise<void> {
    const stats = this.#own()
    const text = JSON.stringify({ at: Date.now(), stats })
    await this.#guarded.run(() =>
      this.#redis.multi().hset(key, stats.server, text).pexpire(key, goneAfterMs).exec(),
    )
  }
}
