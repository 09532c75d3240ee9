import { createSharedBufferPool, type SharedBufferPool, type SlotLease } from '@scratchyjs/shared-buffer'
import { decodeError } from './error-transfer.js'
import type { HeaderValue, PageHead, RenderAnswer, RenderTask } from './protocol.js'

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

/** What carries a context. */
export type ContextTask = Omit<RenderTask, 'ticket'>

/** What carried a page that came whole, and its context. */
export function carrierOf(answer: RenderAnswer, task: ContextTask): 'shared' | 'payload' {
  return 'pageBytes' in answer && task.context === undefined ? 'shared' : 'payload'
}

/** Takes contexts to the workers and pages back: through slots where they fit, in the messages where not. */
export class PageTransport {
  readonly pool: SharedBufferPool | undefined
  /** Renders whose context and page both went through shared memory, and the others. */
  readonly counts: { shared: number; payload: number } = { shared: 0, payload: 0 }

  /** Without slots every render goes in the messages. */
  constructor(slots?: { slots: number; slotSize: number }) {
    this.pool = slots && createSharedBufferPool(slots)
  }

  /** A task that carries the context, and the lease of its slot if it has one. */
  depart(json: string): { task: ContextTask; lease: SlotLease | undefined } {
    const lease = this.pool?.acquire()
    if (!lease) return { task: { context: json }, lease }
    const { index: slot, generation } = lease
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
    const { pageBytes, page } = answer
    const { statusCode, headers } = responseOf(answer)
    if (lease && pageBytes !== undefined) {
      this.counts[carrierOf(answer, task)]++
      const { buffer, byteOffset } = lease.mailbox.data
      return new SlotPage(Buffer.from(buffer, byteOffset, pageBytes), statusCode, headers, lease)
    }
    lease?.release()
    this.counts.payload++
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
