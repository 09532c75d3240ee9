import type { Cluster, Redis } from 'ioredis'
import { CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.js'
import { Connection } from './connection.js'
import { LATE, within } from './deadline.js'

/**
 * - `out`: there is no connection, or Redis answered with an error
 * - `slow`: no answer in time
 * - `open`: not tried, the breaker is open
 */
export type Outage = 'out' | 'slow' | 'open'

/** What a command answered, or why there is no answer. */
export type Answer<T> = { value: T } | { outage: Outage; cause: Error }

/** A client whose commands are given up in time, and not even sent while Redis is out. */
export class GuardedRedis {
  readonly breaker: CircuitBreaker
  readonly #connection: Connection
  readonly #timeoutMs: number

  constructor(redis: Redis | Cluster, timeoutMs: number, options: CircuitBreakerOptions) {
    this.#connection = Connection.of(redis)
    this.#timeoutMs = timeoutMs
    this.breaker = new CircuitBreaker(options)
  }

  /** Whether a command would go out now, by the state of the connection alone. */
  get isReady(): boolean {
    return this.#connection.state === 'ready'
  }

  /**
   * Resolves within the time, and never rejects.
   *
   * @param command is called only when it can go out at once, so nothing piles up in the client's queue
   * @param onLate is called when an answer comes that nobody waits for any more
   */
  async run<T>(command: () => Promise<T>, onLate: () => void = () => {}): Promise<Answer<T>> {
    // Not counted by the breaker: the connection itself tells when Redis is back.
    if (this.#connection.state === 'lost')
      return { outage: 'out', cause: new Error('there is no connection') }
    const attempt = this.breaker.admit()
    if (!attempt)
      return { outage: 'open', cause: new Error('it failed again and again, and is not asked now') }
    let isLate = false
    const work = this.#sent(command, () => isLate)
    try {
      const value = await within(work, this.#timeoutMs)
      if (value !== LATE) {
        attempt.succeed()
        return { value }
      }
      isLate = true
      attempt.fail()
      work.then(onLate).catch(() => {})
      return { outage: 'slow', cause: new Error(`no answer within ${this.#timeoutMs} ms`) }
    } catch (error) {
      attempt.fail()
      return { outage: 'out', cause: error instanceof Error ? error : new Error(String(error)) }
    }
  }

  async #sent<T>(command: () => Promise<T>, isLate: () => boolean): Promise<T> {
    if (this.#connection.state === 'opening') {
      await this.#connection.opened()
      if (isLate() || !this.isReady) throw new Error('the connection could not be made in time')
    }
    return await command()
  }
}
