import { ChunkReader } from './chunk-reader.js'
import { RendererError } from './error.js'
import { type PageChunk, type PageChunks, requireChunk } from './page-source.js'
import type { RenderSignal } from './render-signal.js'
import { Utf8Encoder } from './utf8-encoder.js'

/** The whole of a page, which is refused as soon as it is too large: a huge string could end the process. */
export async function collectPage(
  page: PageChunk | PageChunks,
  cancelled: RenderSignal,
  maxBytes: number,
): Promise<PageChunk> {
  if (typeof page === 'string' || page instanceof Uint8Array) {
    requireSize(page.length, maxBytes)
    return page
  }
  const parts: PageChunk[] = []
  let length = 0
  await readPage(page, cancelled, part => {
    const chunk = requireChunk(part)
    length += chunk.length
    requireSize(length, maxBytes)
    parts.push(chunk)
    return undefined
  })
  return parts.every(part => typeof part === 'string') ? parts.join('') : concatenate(parts)
}

/** Gives every part of a page to `take`, one after the other; ends its maker on cancellation and when `take` fails. */
export async function readPage(
  page: PageChunks,
  cancelled: RenderSignal,
  take: (part: unknown) => Promise<void> | undefined,
): Promise<void> {
  const reader = new ChunkReader(page)
  const { signal } = cancelled
  const stop = (): void => reader.stop(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for (;;) {
      const coming = reader.next()
      const next = coming instanceof Promise ? await coming : coming
      if (next.done) return
      const taking = take(next.value)
      if (taking) await taking
    }
  } catch (error) {
    reader.stop(error)
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function concatenate(parts: PageChunk[]): Uint8Array {
  const encoder = new Utf8Encoder()
  const bytes = parts.flatMap(part =>
    typeof part === 'string' ? [encoder.encode(part)] : [encoder.end(), part],
  )
  return Buffer.concat([...bytes, encoder.end()])
}

function requireSize(length: number, maxBytes: number): void {
  if (length <= maxBytes) return
  throw new RendererError(
    'PAGE_TOO_LARGE',
    `The page has ${length} bytes or more: maxPageBytes is ${maxBytes}`,
  )
}
