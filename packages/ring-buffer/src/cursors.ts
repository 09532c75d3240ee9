import { CursorDoorbell, type Doorbell } from './doorbell.js'
import { RingBufferError } from './error.js'

const WORD_VALUES = 2 ** 32

/**
 * The two cursors of a ring, in whichever words its layout puts them, and their arithmetic. Cursors count
 * bytes without end in 32 bits; `lap`, the largest multiple of the capacity up to 2^32, is what a cursor
 * that reaches 2^32 is lowered by, so its position never jumps (I1).
 *
 * Cursors are handed on as they stand in their words, signed: V8 would allocate a number for each from 2^31 on.
 *
 * Whoever sleeps until a cursor moves does so at its doorbell, which each publication rings: the cursor's own
 * word unless the layout has another.
 */
export class Cursors {
  readonly capacity: number
  /** Where to sleep until there is something to read. */
  readonly readable: Doorbell
  /** Where to sleep until there is room to write. */
  readonly writable: Doorbell
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #writeWord: number
  readonly #readWord: number
  readonly #lap: number

  constructor(
    words: Int32Array<SharedArrayBuffer>,
    writeWord: number,
    readWord: number,
    capacity: number,
    readable: Doorbell = new CursorDoorbell(words, writeWord),
    writable: Doorbell = new CursorDoorbell(words, readWord),
  ) {
    this.#words = words
    this.#writeWord = writeWord
    this.#readWord = readWord
    this.capacity = capacity
    this.readable = readable
    this.writable = writable
    this.#lap = WORD_VALUES - (WORD_VALUES % capacity)
  }

  loadWrite(): number {
    return Atomics.load(this.#words, this.#writeWord) // I3: bytes below it are complete
  }

  loadRead(): number {
    return Atomics.load(this.#words, this.#readWord) // I4: bytes below it are let go
  }

  /** The write cursor for the producer alone: as nobody else stores it, a plain read sees its last value (I2). */
  ownWrite(): number {
    return this.#words[this.#writeWord] as number
  }

  /** The read cursor for the consumer alone, like {@link ownWrite}. */
  ownRead(): number {
    return this.#words[this.#readWord] as number
  }

  /** Where in the data what a cursor counts is. */
  positionOf(cursor: number): number {
    return (cursor >>> 0) % this.capacity // I1: unsigned
  }

  /** Makes `bytes` more bytes, already in their place, readable. Only the producer calls this. */
  publishWrite(write: number, bytes: number): number {
    return this.#publish(this.#writeWord, write, bytes)
  }

  /** Gives `bytes` more bytes, already copied out, back to the producer. Only the consumer calls this. */
  publishRead(read: number, bytes: number): number {
    return this.#publish(this.#readWord, read, bytes)
  }

  /** Bytes in the ring according to two cursors. Throws when no ring can be in that state (I8). */
  between(writeCursor: number, readCursor: number): number {
    const write = writeCursor >>> 0 // I1: unsigned
    const read = readCursor >>> 0 // I1: unsigned
    // A write cursor below its read cursor has passed 2^32, and then is not below 2^32 - lap.
    const wrapped = write < read && write >= WORD_VALUES - this.#lap
    const bytes = wrapped ? write - read + this.#lap : write - read
    if (bytes >= 0 && bytes <= this.capacity) return bytes
    throw new RingBufferError(
      'CORRUPT_HEADER',
      `Cannot use this ring: writePos ${write} and readPos ${read} can't both be right, it holds ${this.capacity} bytes`,
    )
  }

  /** Bytes in the ring at one instant, on whichever thread (I9). */
  used(): number {
    for (;;) {
      const read = this.loadRead()
      const write = this.loadWrite()
      if (this.loadRead() === read) return this.between(write, read)
    }
  }

  #publish(word: number, from: number, bytes: number): number {
    const sum = (from >>> 0) + bytes // I1: unsigned
    const next = (sum < WORD_VALUES ? sum : sum - this.#lap) | 0
    Atomics.store(this.#words, word, next) // I2, I3, I4: own word, after the copy; pairs with loadWrite, loadRead
    return next
  }
}
