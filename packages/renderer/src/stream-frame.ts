import type { PageHead } from './protocol.js'

// What goes through a stream's ring: the length of the head, 4 bytes with the lowest first, the head as JSON, and then
// the bytes of the page up to the ring's end.

/** Bytes before the head. */
export const LENGTH_BYTES = 4

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Bytes of a head that a ring may carry: more than any HTTP server would take. */
const MAX_HEAD_BYTES = 2 ** 20

export function encodeHead(head: PageHead): Uint8Array {
  const json = encoder.encode(JSON.stringify(head))
  const frame = new Uint8Array(LENGTH_BYTES + json.length)
  new DataView(frame.buffer).setUint32(0, json.length, true)
  frame.set(json, LENGTH_BYTES)
  return frame
}

/** Finds the head in the first bytes of a stream. */
export class HeadReader {
  #bytes = new Uint8Array(0)

  /** How many more bytes to read at the least. */
  get missing(): number {
    if (this.#bytes.length < LENGTH_BYTES) return LENGTH_BYTES - this.#bytes.length
    return LENGTH_BYTES + this.#length - this.#bytes.length
  }

  /** Takes no more bytes than were {@link missing}. Answers the head once it is there. */
  take(bytes: Uint8Array): PageHead | undefined {
    const all = new Uint8Array(this.#bytes.length + bytes.length)
    all.set(this.#bytes)
    all.set(bytes, this.#bytes.length)
    this.#bytes = all
    if (all.length < LENGTH_BYTES || this.missing > 0) return undefined
    return JSON.parse(decoder.decode(all.subarray(LENGTH_BYTES)))
  }

  get #length(): number {
    const length = new DataView(this.#bytes.buffer).getUint32(0, true)
    if (length <= MAX_HEAD_BYTES) return length
    throw new Error(`The head of a streamed page has ${length} bytes: something else wrote to its memory`)
  }
}
