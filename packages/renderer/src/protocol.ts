import type { RedisOptions } from 'ioredis'
import type { TransferredError } from './error-transfer.js'

/** What every worker gets once, through `workerData`. */
export interface HostData {
  /** `file:` URL of the user's worker module. */
  worker: string
  /** The slot pool's arena; absent with the payload transport. */
  arena: SharedArrayBuffer | undefined
  /** The words for streams and cancellation. */
  control: SharedArrayBuffer
  /** The largest page, in bytes. */
  maxPageBytes: number
  /** When a thread has done enough. */
  recycle: Recycling
  /** The Redis that brings contexts. */
  redis: RedisOptions | string | undefined
}

/** How much a thread does before another takes its place. */
export interface Recycling {
  /** Renders, an integer from 1 on. */
  tasks?: number
  /** Megabytes (2^20 bytes) of V8's heap in use after a render, an integer from 1 on. */
  heapMb?: number
}

/** One render, as it is posted to a worker. The context is one of three. */
export interface RenderTask {
  /** Under which it can be cancelled. */
  ticket: number
  slot?: number
  generation?: number
  /** How much of the slot is the context's JSON. */
  contextBytes?: number
  /** The context's JSON. */
  context?: string
  /** Under which Redis has the context. */
  requestId?: string
  /** Where a streamed page goes. */
  lane?: SharedArrayBuffer
}

/** What the host does besides rendering. */
export type LifecycleTask = 'setup' | 'teardown'

/** Values of response headers: several lines for an array. */
export type HeaderValue = string | string[]

/** Status and headers of a page, where they are not the defaults. */
export interface PageHead {
  statusCode?: number
  headers?: Record<string, HeaderValue>
}

/** The answer of a worker that could not get the context from Redis: it has done nothing. */
export const CONTEXT_LOST = { isContextLost: true } as const

/** The answer to a render. Either `pageBytes` are in the slot, or `page` carries them; neither for a streamed page. */
export type RenderAnswer =
  | ({ pageBytes?: number; page?: Uint8Array } & PageHead)
  | { error: TransferredError }
  | typeof CONTEXT_LOST

/**
 * What a thread posts beside its tasks' answers when it has done enough: the answer of its last render, and once more,
 * without an answer, when it has been torn down and can be ended. That task never ends: Piscina would give it another.
 */
export interface RetiringMessage {
  /** The ticket of that render. */
  retiring: number
  answer?: RenderAnswer
  threadId?: number
}
