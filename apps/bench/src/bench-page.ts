import { documentParts } from './document.js'
import { pageText } from './page-text.js'

/** What a page consists of, in the props of a render. */
export interface PageProps {
  /** UTF-8. */
  bytes: number
  ascii: boolean
  /**
   * `'ready'`: made once, so that only moving it costs time. `'whole'`: rendered anew. `'parts'`: rendered anew, as parts.
   * `'blocks'`: 4 KiB of bytes at a time, which are also `'counted'`; `'text'`: 4 KiB of text.
   */
  made: 'ready' | 'whole' | 'parts' | 'blocks' | 'counted' | 'text'
}

const BLOCK = 4096
const ready = new Map<string, string>()

export function renderWhole({ made, bytes, ascii }: PageProps): string {
  if (made !== 'ready') return [...documentParts(bytes, ascii)].join('')
  const key = `${bytes} ${ascii}`
  const page = ready.get(key) ?? pageText(bytes, ascii)
  ready.set(key, page)
  return page
}

export function renderParts({ made, bytes, ascii }: PageProps): Iterable<string | Uint8Array> {
  if (made === 'parts') return documentParts(bytes, ascii)
  const block = pageText(BLOCK, ascii)
  return repeated(made === 'text' ? block : Buffer.from(block), bytes / BLOCK)
}

function* repeated<Block>(block: Block, times: number): Generator<Block> {
  for (let i = 0; i < times; i++) yield block
}
