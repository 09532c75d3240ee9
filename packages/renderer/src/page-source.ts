import { PassThrough, Readable, type Writable } from 'node:stream'
import { RendererError } from './error.js'
import { describe } from './error-transfer.js'
import type { ResponseHeadBuilder } from './response-head.js'
import { type ShellOptions, wrapInShell } from './shell.js'

/** A part of a page: HTML, or its UTF-8 bytes. */
export type PageChunk = string | Uint8Array

/** What React's and Preact's `renderToPipeableStream` and Vue's streams to Node answer. */
export interface PipeablePage {
  pipe(destination: Writable): unknown
  abort?(reason?: unknown): void
}

/** The body of a page and what belongs in its head, put into a document by `wrapInShell`. */
export interface PageParts extends ShellOptions {
  html: string
  head?: string
}

/** Everything that `render` may return. */
export type PageBody =
  | PageChunk
  | PageParts
  | { body: string; head: string }
  | PipeablePage
  | { prelude: Readable | ReadableStream<PageChunk> }
  | Readable
  | ReadableStream<PageChunk>
  | Iterable<PageChunk>
  | AsyncIterable<PageChunk>
  | Response

/** A page whose parts come one by one. */
export interface PageChunks {
  chunks: AsyncIterator<unknown> | Iterator<unknown>
  /** Ends whoever makes the parts, now; harmless afterwards. */
  abort(reason: unknown): void
}

/**
 * What `render` returned, whole or in parts. A `Response` gives its status and headers to the head.
 *
 * @throws RendererError `INVALID_PAGE` for what is no page
 */
export function openPage(body: unknown, head: ResponseHeadBuilder): PageChunk | PageChunks {
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  if (typeof body !== 'object' || body === null) throw invalid(body)
  if (body instanceof Response) {
    head.adopt(body)
    return body.body ? fromWeb(body.body) : ''
  }
  if ('prelude' in body) return openPage(body.prelude, head)
  if (body instanceof Readable) return fromReadable(body)
  if (body instanceof ReadableStream) return fromWeb(body)
  if ('pipe' in body && typeof body.pipe === 'function') return fromPipeable(body as PipeablePage)
  if (Symbol.asyncIterator in body)
    return fromIterator((body as AsyncIterable<unknown>)[Symbol.asyncIterator]())
  if (Symbol.iterator in body) return fromIterator((body as Iterable<unknown>)[Symbol.iterator]())
  const { html = (body as { body?: unknown }).body, head: inHead = '', ...shell } = body as Partial<PageParts>
  if (typeof html !== 'string' || typeof inHead !== 'string') throw invalid(body)
  return wrapInShell(html, inHead, shell)
}

/** A part of a page; `RendererError` `INVALID_PAGE` for what is none. */
export function requireChunk(chunk: unknown): PageChunk {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return chunk
  throw new RendererError(
    'INVALID_PAGE',
    `render gave ${describe(chunk)} as a part of the page: parts are strings or Uint8Arrays`,
  )
}

function invalid(body: unknown): RendererError {
  return new RendererError(
    'INVALID_PAGE',
    `render returned ${describe(body)}: a page is a string, a Uint8Array, { html, head }, a stream, an iterable, { pipe } or a Response`,
  )
}

function fromReadable(stream: Readable): PageChunks {
  // An error that comes between two reads must not end the thread; the iterator throws it.
  stream.on('error', () => {})
  return {
    chunks: stream[Symbol.asyncIterator](),
    abort: reason => void stream.destroy(reason as Error),
  }
}

function fromWeb(stream: ReadableStream<unknown> & { allReady?: unknown }): PageChunks {
  // React's and Preact's streams carry this promise. Its rejection, which reading tells too, must not end the thread.
  if (stream.allReady instanceof Promise) stream.allReady.catch(() => {})
  const reader = stream.getReader()
  return {
    chunks: { next: () => reader.read() as Promise<IteratorResult<unknown>> },
    abort: reason => void reader.cancel(reason).catch(() => {}),
  }
}

function fromPipeable(page: PipeablePage): PageChunks {
  const through = new PassThrough()
  const source = fromReadable(through)
  page.pipe(through)
  return {
    chunks: source.chunks,
    abort(reason) {
      page.abort?.(reason)
      source.abort(reason)
    },
  }
}

function fromIterator(iterator: AsyncIterator<unknown> | Iterator<unknown>): PageChunks {
  return {
    chunks: iterator,
    abort(reason) {
      // What it answers, or throws, is of no interest to anybody any more.
      void (async () => iterator.return?.(reason))().catch(() => {})
    },
  }
}
