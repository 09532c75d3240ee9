import { createSharedBufferPool, type SharedBufferPool, type SlotLease } from '@scratchyjs/shared-buffer'
import { decodeError } from './error-transfer.js'
import type { HeaderValue, PageHead, RenderAnswer, RenderTask } from './protocol.js'
import type { RedisCarrier } from './redis-carrier.js'

/** A rendered page on the main thread: bytes, never a string. */
export interface Page {
  /** UTF-8. Valid until `release()`: it may be a view of shared memory that the next page is written to. */
  readonly body: Buffer
  readonly statusCode: number
  readonly headers: Readonly<Record<string, HeaderValue>>
  /** Gives the page's memory back; call it when `body` has been sent or copied. Calling it again does nothing. */
  release(): void
}

const noHeaders = Object.freeze({})

/** The head with its defaults filled in. */
export function responseOf({ statusCode = 200, headers = noHeaders }: PageHead): Required<PageHead> {
  return { statusCode, headers }
}

const nothingToRelease = () => {}
const encoder = new TextEncoder()

/** Slots of shared memory: how many there are, are leased, were leased at most, and are out of use. */
export interface SlotCounts {
  total: number
  inUse: number
  highWater: number
  quarantined: number
}

/** What carries a context. */
export type ContextTask = Omit<RenderTask, 'ticket'>

/** What carried a page that came whole, and its context. */
export function carrierOf(answer: RenderAnswer, task: ContextTask): 'shared' | 'payload' | 'redis' {
  if (task.requestId !== undefined) return 'redis'
  return 'pageBytes' in answer && task.context === undefined ? 'shared' : 'payload'
}

/** Takes contexts to the workers and pages back: through slots where they fit, in the messages where not. */
export class PageTransport {
  readonly pool: SharedBufferPool | undefined
  readonly redis: RedisCarrier | undefined
  /** Renders whose context and page both went through shared memory, whose context went through Redis, and the others. */
  readonly counts: { shared: number; payload: number; redis: number } = { shared: 0, payload: 0, redis: 0 }

  /** Without slots every page comes in a message, and every context that Redis doesn't carry. */
  constructor(slots: { slots: number; slotSize: number } | undefined, redis: RedisCarrier | undefined) {
    this.pool = slots && createSharedBufferPool(slots)
    this.redis = redis
  }

  /** The slots now; all 0 without any. */
  get slots(): SlotCounts {
    const { slots = 0, inUse = 0, highWater = 0, quarantined = 0 } = this.pool?.stats() ?? {}
    return { total: slots, inUse, highWater, quarantined }
  }

  /**
   * A task that carries the context, and the lease of its slot if it has one.
   *
   * @param requestId under which Redis has the context
   */
  depart(json: string, requestId?: string): { task: ContextTask; lease: SlotLease | undefined } {
    const lease = this.pool?.acquire()
    if (!lease) return { task: requestId === undefined ? { context: json } : { requestId }, lease }
    const { index: slot, generation } = lease
    if (requestId !== undefined) return { task: { slot, generation, requestId }, lease }
    const { data } = lease.mailbox
    if (json.length <= data.length) {
      const { read, written } = encoder.encodeInto(json, data)
      if (read === json.length) return { task: { slot, generation, contextBytes: written }, lease }
    }
    return { task: { slot, generation, context: json }, lease }
  }

  /** The page that came back. A lease that carries no page is released at once. */
  arrive(answer: RenderAnswer, task: ContextTask, lease: SlotLease | undefined): Page {
    if ('error' in answer) {
      lease?.release()
      throw decodeError(answer.error)
    }
    if ('isContextLost' in answer) throw new Error('The worker could not get the context from Redis')
    const { pageBytes, page } = answer
    const { statusCode, headers } = responseOf(answer)
    this.counts[carrierOf(answer, task)]++
    if (lease && pageBytes !== undefined) {
      const { buffer, byteOffset } = lease.mailbox.data
      return new SlotPage(Buffer.from(buffer, byteOffset, pageBytes), statusCode, headers, lease)
    }
    lease?.release()
    const { buffer, byteOffset, byteLength } = page as Uint8Array
    return {
      body: Buffer.from(buffer, byteOffset, byteLength),
      statusCode,
      headers,
      release: nothingToRelease,
    }
  }
}

class SlotPage implements Page {
  readonly body: Buffer
  readonly statusCode: number
  readonly headers: Readonly<Record<string, HeaderValue>>
  #lease: SlotLease | undefined

  constructor(
    body: Buffer,
    statusCode: number,
    headers: Readonly<Record<string, HeaderValue>>,
    lease: SlotLease,
  ) {
    this.body = body
    this.statusCode = statusCode
    this.headers = headers
    this.#lease = lease
  }

  release(): void {
    this.#lease?.release()
    this.#lease = undefined
  }
}
