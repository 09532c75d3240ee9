import type { RingWriter } from '@scratchyjs/ring-buffer'
import type { ControlWords } from './control-words.js'
import { requireChunk } from './page-source.js'
import type { PageHead } from './protocol.js'
import { encodeHead } from './stream-frame.js'
import { NO_BYTES, Utf8Encoder } from './utf8-encoder.js'

/** Bytes that go into the ring at once: small beside its capacity, so that both sides work at the same time. */
const PIECE_BYTES = 16_384
/** For the bytes of a part: of this thread's other renders, which may not have ended yet, each has its own. */
const SCRATCH_BYTES = 12_288
/** A part that comes so soon after the one before, in milliseconds, is one of a streak. */
const STREAK_MS = 0.1
/** After so many of them the doorbell is not rung for each any more. */
const STREAK_PARTS = 8

/**
 * The worker's end of a streamed page: the head before the first byte, then the parts. The doorbell is rung for every
 * part, as the render may take its time for the next. Only where they come thick and fast it is rung for every
 * 16 KiB, and as soon as the render waits for something: waking the main thread costs more than 4 KiB do.
 */
export class StreamSink {
  readonly #writer: RingWriter
  readonly #words: ControlWords
  readonly #head: () => PageHead
  readonly #encoder = new Utf8Encoder(new Uint8Array(SCRATCH_BYTES))
  #begun = false
  #lastPartAt = 0
  #streak = 0
  /** Bytes in the ring that it was not rung for. */
  #silentBytes = 0
  #isRingDue = false

  constructor(writer: RingWriter, words: ControlWords, head: () => PageHead) {
    this.#writer = writer
    this.#words = words
    this.#head = head
  }

  /**
   * Puts a part into the ring, at once where there is room: else it resolves when it is there, and rejects with
   * `CANCELLED` when the other side wants no more.
   */
  write(part: unknown): Promise<void> | undefined {
    const chunk = requireChunk(part)
    if (chunk.length === 0) return undefined // a stream's parts may be empty: its head can still change
    const bytes = typeof chunk === 'string' ? this.#encoder.encode(chunk) : chunk
    const before = this.#before(typeof chunk === 'string')
    if (before.length === 0 && bytes.length <= PIECE_BYTES && this.#writer.tryWrite(bytes)) {
      this.#announce(bytes.length)
      return undefined
    }
    return this.#writeAll(before, bytes)
  }

  async end(): Promise<void> {
    await this.#putAll(this.#before(false))
    this.#writer.end()
    this.#ring()
  }

  /** Ends the stream with an error, after what was written. */
  fail(error: unknown): void {
    this.#writer.fail(error)
    this.#ring()
  }

  /** What goes before the next bytes: the head, or what a text left behind that was cut within a character. */
  #before(isText: boolean): Uint8Array {
    if (this.#begun) return isText ? NO_BYTES : this.#encoder.end()
    this.#begun = true
    return encodeHead(this.#head())
  }

  async #writeAll(before: Uint8Array, bytes: Uint8Array): Promise<void> {
    await this.#putAll(before)
    await this.#putAll(bytes)
    this.#ring()
  }

  async #putAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES)
      while (!this.#writer.tryWrite(piece)) {
        this.#ring()
        await this.#writer.waitWritableAsync(piece.length)
      }
      this.#silentBytes += piece.length
      if (this.#silentBytes >= PIECE_BYTES) this.#ring()
    }
  }

  #announce(bytes: number): void {
    const now = performance.now()
    this.#streak = now - this.#lastPartAt < STREAK_MS ? this.#streak + 1 : 0
    this.#lastPartAt = now
    this.#silentBytes += bytes
    if (this.#streak < STREAK_PARTS || this.#silentBytes >= PIECE_BYTES) this.#ring()
    else if (!this.#isRingDue) {
      this.#isRingDue = true
      process.nextTick(this.#ringNow) // when no promise goes on at once any more
    }
  }

  readonly #ringNow = (): void => {
    this.#isRingDue = false
    this.#ring()
  }

  #ring(): void {
    this.#silentBytes = 0
    this.#words.ring()
  }
}
