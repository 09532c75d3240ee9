import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ContractAdapter, ContractCache, ContractHandlers, ContractPublisher } from './adapter.js'
import { eventually, within } from './waiting.js'

/** What one subscriber was handed. */
export interface Received {
  readonly keys: string[]
  /** Published keys that did not arrive, and after which nothing was flushed. */
  missing(): string[]
  close(): Promise<unknown>
}

/** A channel of one case's own, and all that is opened on it. */
export class Channel {
  readonly arrivalMs: number
  readonly closeMs: number
  readonly #adapter: ContractAdapter
  readonly #name = `contract:${randomUUID()}`
  readonly #published: string[] = []
  readonly #closes: (() => Promise<unknown>)[] = []
  #publisher: Promise<ContractPublisher> | undefined

  constructor(adapter: ContractAdapter) {
    this.#adapter = adapter
    this.arrivalMs = adapter.arrivalMs ?? 5000
    this.closeMs = adapter.closeMs ?? 2000
  }

  /** Another channel, closed with this one. */
  other(): Channel {
    const channel = new Channel(this.#adapter)
    this.#closes.push(() => channel.close())
    return channel
  }

  async publish(...keys: string[]): Promise<void> {
    this.#publisher ??= this.#open(this.#adapter.publisher(this.#name))
    const publisher = await this.#publisher
    // Before: a flush that comes meanwhile may be due to these keys.
    this.#published.push(...keys)
    await publisher.publish(keys)
  }

  async publishRaw(message: string | Uint8Array): Promise<void> {
    await this.#adapter.publishRaw?.(this.#name, message)
  }

  async subscribe(onInvalidate: ContractHandlers['onInvalidate'] = () => {}): Promise<Received> {
    assert(this.#adapter.subscriber)
    const keys: string[] = []
    let flushedUpTo = 0
    const handlers: ContractHandlers = {
      onInvalidate(stale) {
        const handled = onInvalidate(stale)
        if (!handled) keys.push(...stale)
        return handled?.then(() => void keys.push(...stale))
      },
      onFlush: () => {
        flushedUpTo = this.#published.length
      },
    }
    const { close } = await this.#open(this.#adapter.subscriber(this.#name, handlers))
    const missing = () => {
      const arrived = new Set(keys)
      return this.#published.filter((key, index) => index >= flushedUpTo && !arrived.has(key))
    }
    return { keys, missing, close }
  }

  cache(): Promise<ContractCache> {
    assert(this.#adapter.cache)
    return this.#open(this.#adapter.cache(this.#name))
  }

  /** Resolves when what was published has arrived, or was flushed. */
  arrived(...subscribers: Received[]): Promise<void> {
    return eventually(this.arrivalMs, () => {
      for (const { missing } of subscribers)
        assert.deepEqual(missing(), [], 'keys neither arrived nor flushed')
    })
  }

  async cut(): Promise<void> {
    await this.#adapter.network?.cut()
  }

  async restore(): Promise<void> {
    await this.#adapter.network?.restore()
  }

  /** Closes all that is still open. */
  async close(): Promise<void> {
    await Promise.all(this.#closes.splice(0).map(close => close()))
  }

  async #open<T extends { close(): Promise<unknown> }>(opening: Promise<T>): Promise<T> {
    const opened = await within(this.arrivalMs, 'opening', opening)
    let closed: Promise<unknown> | undefined
    const close = () => {
      closed ??= opened.close()
      return closed
    }
    this.#closes.push(close)
    return opened
  }
}
