import type { Cluster, Redis } from 'ioredis'

/**
 * - `ready`: a command goes out now
 * - `opening`: the first connection is being made, or begins with the first command
 * - `lost`: there was one, or the first attempt failed; a command would wait in the client's queue
 */
export type ConnectionState = 'ready' | 'opening' | 'lost'

const connections = new WeakMap<Redis | Cluster, Connection>()

/** What a client's connection is good for at this moment. */
export class Connection {
  /** The one of this client: it listens to the client as long as that lives. */
  static of(redis: Redis | Cluster): Connection {
    const connection = connections.get(redis) ?? new Connection(redis)
    connections.set(redis, connection)
    return connection
  }

  readonly #redis: Redis | Cluster
  #lost: boolean
  #opened: Promise<void> | undefined

  private constructor(redis: Redis | Cluster) {
    this.#redis = redis
    this.#lost = !['wait', 'connecting', 'connect', 'ready'].includes(redis.status)
    redis.on('ready', () => {
      this.#lost = false
    })
    redis.on('close', () => {
      this.#lost = true
    })
  }

  get state(): ConnectionState {
    const { status } = this.#redis
    if (status === 'ready') return 'ready'
    // A client that connects anew is "connecting" too, again and again.
    const isFirst = !this.#lost && (status === 'connecting' || status === 'connect')
    return status === 'wait' || isFirst ? 'opening' : 'lost'
  }

  /** Begins to connect, where that waits for a first command, and resolves when it is known how that went. */
  opened(): Promise<void> {
    this.#opened ??= new Promise<void>(resolve => {
      const end = () => {
        this.#redis.removeListener('ready', end)
        this.#redis.removeListener('close', end)
        this.#opened = undefined
        resolve()
      }
      this.#redis.on('ready', end)
      this.#redis.on('close', end)
      if (this.#redis.status === 'wait') this.#redis.connect().catch(() => {})
    })
    return this.#opened
  }
}
