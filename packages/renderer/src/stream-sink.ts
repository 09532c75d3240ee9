import type { RingWriter } from '@scratchyjs/ring-buffer'
import type { ControlWords } from './control-words.js'
import { type PageChunk, requireChunk } from './page-source.js'
import type { PageHead } from './protocol.js'
import { encodeHead } from './stream-frame.js'
import { Utf8Encoder } from './utf8-encoder.js'

/** Bytes that go into the ring at once: small beside its capacity, so that both sides work at the same time. */
const PIECE_BYTES = 16_384

/** The worker's end of a streamed page: the head before the first byte, and a ring of the doorbell for every piece. */
export class StreamSink {
  readonly #writer: RingWriter
  readonly #words: ControlWords
  readonly #head: () => PageHead
  readonly #encoder = new Utf8Encoder()
  #begun = false

  constructor(writer: RingWriter, words: ControlWords, head: () => PageHead) {
    this.#writer = writer
    this.#words = words
    this.#head = head
  }

  /** Resolves when the part is in the ring. Rejects with `CANCELLED` when the other side wants no more. */
  async write(part: unknown): Promise<void> {
    const chunk = requireChunk(part)
    if (chunk.length === 0) return // a stream's parts may be empty: its head can still change
    await this.#begin()
    await this.#put(chunk)
  }

  async end(): Promise<void> {
    await this.#begin()
    await this.#putBytes(this.#encoder.end())
    this.#writer.end()
    this.#words.ring()
  }

  /** Ends the stream with an error, after what was written. */
  fail(error: unknown): void {
    this.#writer.fail(error)
    this.#words.ring()
  }

  async #begin(): Promise<void> {
    if (this.#begun) return
    this.#begun = true
    await this.#putBytes(encodeHead(this.#head()))
  }

  async #put(chunk: PageChunk): Promise<void> {
    if (typeof chunk === 'string') await this.#putBytes(this.#encoder.encode(chunk))
    else {
      await this.#putBytes(this.#encoder.end())
      await this.#putBytes(chunk)
    }
  }

  async #putBytes(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES)
      while (!this.#writer.tryWrite(piece)) await this.#writer.waitWritableAsync(piece.length)
      this.#words.ring()
    }
  }
}
