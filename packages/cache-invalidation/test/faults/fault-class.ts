import type { Address } from './cache-node.js'
import type { Random } from './random.js'
import type { World } from './world.js'

/** The servers of a world. */
export interface Site {
  /** Where nodes connect to: a port through a proxy for each, several servers directly. */
  readonly address: Address
  stop(): Promise<void>
}

/** Whether a node had to flush: what it missed is no longer in the log, or may not be. */
export type FlushVerdict = 'forbidden' | 'required' | 'allowed'

/** One kind of fault. */
export interface FaultClass<S extends Site = Site> {
  name: string
  /** What happens, for the table of results. */
  what: string
  /** Nodes get the addresses of several servers. */
  hasSeveralAddresses?: boolean
  /** How many of the faults asked for are injected, where one takes seconds; default 1, which is all. */
  share?: number
  /** More worlds than asked for, where most of the time is waiting. */
  worlds?: number
  /** Nodes besides the writer; default 2. */
  readers?: number
  /** The readers are processes. */
  hasProcesses?: boolean
  /** The log's length; default 10 000. */
  maxLength?: number
  /** How many keys may wait at a publisher; default 10 000. */
  maxQueuedKeys?: number
  /** The publishers' `commandTimeout`. */
  commandTimeout?: number
  /** Default: a question every 50 ms, 150 ms for its answer. */
  heartbeat?: { intervalMs: number; timeoutMs: number }
  /** No message may arrive twice on the channel. */
  forbidsDuplicates?: boolean
  start(): Promise<S>
  /**
   * Breaks something in the midst of writes and reads, and mends it. When it resolves all is whole, or
   * the nodes can reach what is.
   *
   * @returns for all nodes, or each
   */
  inject(world: World<S>, random: Random): Promise<FlushVerdict | FlushVerdict[]>
}
