/** What the contract is tried on: a bus for stale keys, or a cache over one, or both. */
export interface ContractAdapter {
  /** Resolves when keys can be published on the channel. Not affected by `network`. */
  publisher(channel: string): Promise<ContractPublisher>
  /** Resolves when all that is published from now on is to be handed over. */
  subscriber?(channel: string, handlers: ContractHandlers): Promise<ContractSubscriber>
  /** A cache in step with the channel. */
  cache?(channel: string): Promise<ContractCache>
  /** Whether the cache knows tags. */
  hasTags?: boolean
  /** Sends a message as it is, to the same subscribers. */
  publishRaw?(channel: string, message: string | Uint8Array): Promise<unknown>
  /** The network between Redis and all subscribers and caches. */
  network?: {
    /** Breaks the connections and lets no new ones through. */
    cut(): unknown
    restore(): unknown
  }
  /** How long what is published may take to arrive, a break overcome included, in milliseconds; default 5000. */
  arrivalMs?: number
  /** How long `close` may take, in milliseconds; default 2000. */
  closeMs?: number
}

export interface ContractPublisher {
  /** Resolves when the keys are published. */
  publish(keys: readonly string[]): Promise<unknown>
  close(): Promise<unknown>
}

export interface ContractHandlers {
  onInvalidate(keys: readonly string[]): void | Promise<void>
  /** Everything cached has to go. */
  onFlush(): void
}

export interface ContractSubscriber {
  close(): Promise<unknown>
}

export interface ContractCache {
  getOrLoad(
    key: string,
    loader: () => Promise<number>,
    options?: { tags: readonly string[] },
  ): Promise<number>
  close(): Promise<unknown>
}

/** The optional members of an adapter that a case needs. */
export type ContractCapability = 'subscriber' | 'cache' | 'hasTags' | 'publishRaw' | 'network'
