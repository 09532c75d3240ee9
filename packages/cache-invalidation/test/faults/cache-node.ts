/** Answers the version of a key in the database; it may take its time. */
export type Load = (key: string) => Promise<number>

/** What is seen of a node from outside. */
export interface NodeState {
  /** Whether it says that it has missed nothing. */
  inStep: boolean
  /** What it holds. */
  entries: [key: string, version: number][]
  /** The reasons of all flushes until now. */
  flushes: string[]
}

/** One server's cache, kept in step by the system under test. */
export interface CacheNode {
  /** What is cached, else what `load` answers. */
  getOrLoad(key: string, load: Load): Promise<number>
  /** Tells all nodes; resolves when that is acknowledged. */
  invalidate(keys: string[]): Promise<unknown>
  /** A system without it is looked at only through `getOrLoad`, a fixed time after the fault. */
  look?(): Promise<NodeState>
  close(): Promise<void>
}

/** Where a node finds Redis: a port of the loopback interface, or several servers. */
export type Address =
  | { port: number }
  | { cluster: { host: string; port: number }[] }
  | { sentinels: { host: string; port: number }[]; name: string }

/** Plain data, for a node may live in another process. */
export interface NodeOptions {
  address: Address
  /** RESP2 or RESP3, of the connection that is subscribed. */
  protocol: 2 | 3
  heartbeat: { intervalMs: number; timeoutMs: number }
  /** How many messages the log keeps. */
  maxLength: number
  /** How many keys may wait at the publisher. */
  maxQueuedKeys: number
  /** The publisher's `commandTimeout`. */
  commandTimeout?: number
  /** Kept in step by `onInvalidate` and `onFlush` instead of `cache`. */
  usesHandlers: boolean
}

/** A way to keep caches in step. */
export interface System {
  name: string
  /** Where its messages can be listened to, if they are `{"keys":[…]}`. */
  channel?: string
  /** It knows only one server: clusters and sentinels are left out. */
  needsOnePort?: boolean
  /** Resolves when it may be used; it is in step when it says so. */
  open(options: NodeOptions): Promise<CacheNode>
}
