import type { Cluster, Redis } from 'ioredis'
import { withDeadline } from './deadline.js'
import { CacheInvalidationError, reasonOf } from './error.js'
import { type Cursor, type LogPage, readLog, type Since, serverTime } from './log.js'

const subscriptions = new WeakMap<Redis | Cluster, Map<string, number>>()
const guarded = new WeakSet<Redis>()

/**
 * A client subscribed to a channel, and the connection its log is read through: the same, but for
 * RESP2, where a subscribed connection takes no other commands.
 */
export class ChannelLink {
  readonly #client: Redis | Cluster
  readonly #channel: string
  #reader: Redis | undefined

  constructor(client: Redis | Cluster, channel: string) {
    this.#client = client
    this.#channel = channel
    if (!client.isCluster) guardResubscription(client as Redis)
    const channels = subscriptions.get(client) ?? new Map<string, number>()
    channels.set(channel, (channels.get(channel) ?? 0) + 1)
    subscriptions.set(client, channels)
  }

  /** Resolves when Redis has confirmed the subscription; again on every connection. */
  async subscribe(): Promise<void> {
    try {
      await this.#client.subscribe(this.#channel)
    } catch (cause) {
      const message = `Cannot subscribe to ${this.#channel}: ${reasonOf(cause)}`
      throw new CacheInvalidationError('SUBSCRIBE_FAILED', message, { cause })
    }
  }

  /** What the log says after a place, or, without one, since the moment `startedAt`. */
  async readLog(after: Cursor | undefined, startedAt: number): Promise<LogPage> {
    try {
      const client = this.#logClient()
      const from: Cursor | Since = after ?? (await serverTime(client, this.#channel, startedAt))
      return await readLog(client, this.#channel, from)
    } catch (cause) {
      const message = `Cannot read the log of ${this.#channel}: ${reasonOf(cause)}`
      throw new CacheInvalidationError('LOG_UNAVAILABLE', message, { cause })
    }
  }

  /** Resolves when the subscribed connection answers. */
  async ping(): Promise<void> {
    // A cluster's subscribed connection is out of reach; its log is what tells.
    if (!this.#client.isCluster) await this.#client.ping()
  }

  /** Breaks the connections, so that ioredis makes them anew. */
  reconnect(): void {
    this.#client.disconnect(true)
    this.#reader?.disconnect()
    this.#reader = undefined
  }

  /** Unsubscribes, unless the client is subscribed to the channel for others too; takes `timeoutMs` at most. */
  async release(timeoutMs: number): Promise<void> {
    this.#reader?.disconnect()
    const channels = subscriptions.get(this.#client)
    const others = (channels?.get(this.#channel) ?? 1) - 1
    channels?.set(this.#channel, others)
    const { status } = this.#client
    if (others > 0 || status === 'wait' || status === 'end') return
    const unsubscribed = this.#client.unsubscribe(this.#channel)
    // Without a connection it is sent with the next one: ioredis would subscribe again by itself.
    if (status === 'ready') await withDeadline(unsubscribed, timeoutMs).catch(() => {})
    else unsubscribed.catch(() => {})
  }

  #logClient(): Redis | Cluster {
    const client = this.#client
    if (client.isCluster || (client as Redis).mode !== 'subscriber') return client
    if (!this.#reader) {
      this.#reader = (client as Redis).duplicate({
        lazyConnect: true,
        enableOfflineQueue: true,
        autoResubscribe: false,
      })
      this.#reader.on('error', () => {})
    }
    return this.#reader
  }
}

/**
 * When ioredis has reconnected it subscribes again by itself and drops the promise: if the connection
 * breaks meanwhile, that is an unhandled rejection, which ends the process.
 */
function guardResubscription(client: Redis): void {
  if (guarded.has(client)) return
  guarded.add(client)
  const subscribe = client.subscribe as (...channels: unknown[]) => Promise<unknown>
  const handled = (...channels: unknown[]) => {
    const subscribed = subscribe.apply(client, channels)
    subscribed.catch(() => {})
    return subscribed
  }
  client.subscribe = handled as Redis['subscribe']
}
