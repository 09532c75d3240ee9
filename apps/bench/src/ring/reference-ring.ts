const WRITE = 0
const READ = 1
const HEADER_BYTES = 8

/**
 * The plain textbook ring that ours is measured against: a header of two Int32 cursors, both loaded on every
 * call, and a notify after every one. Capacities are powers of two, which lets the cursors simply wrap.
 */
export class ReferenceRing {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #data: Uint8Array<SharedArrayBuffer>
  readonly #capacity: number

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, 2)
    this.#data = new Uint8Array(buffer, HEADER_BYTES)
    this.#capacity = this.#data.length
  }

  static allocate(capacity: number): SharedArrayBuffer {
    if (capacity < 1 || (capacity & (capacity - 1)) !== 0) {
      throw new RangeError(`capacity must be a power of two, got ${capacity}`)
    }
    return new SharedArrayBuffer(HEADER_BYTES + capacity)
  }

  write(chunk: Uint8Array): boolean {
    const write = Atomics.load(this.#words, WRITE)
    const read = Atomics.load(this.#words, READ)
    const bytes = chunk.length
    if (this.#capacity - ((write - read) | 0) < bytes) return false
    const at = write & (this.#capacity - 1)
    const beforeEnd = this.#capacity - at
    if (bytes <= beforeEnd) {
      this.#data.set(chunk, at)
    } else {
      this.#data.set(chunk.subarray(0, beforeEnd), at)
      this.#data.set(chunk.subarray(beforeEnd), 0)
    }
    Atomics.store(this.#words, WRITE, (write + bytes) | 0)
    Atomics.notify(this.#words, WRITE)
    return true
  }

  /** How many bytes went into `target`, 0 when there were none: allocates no result, which favours it. */
  readInto(target: Uint8Array): number {
    const write = Atomics.load(this.#words, WRITE)
    const read = Atomics.load(this.#words, READ)
    const bytes = Math.min(target.length, (write - read) | 0)
    if (bytes === 0) return 0
    const at = read & (this.#capacity - 1)
    const beforeEnd = this.#capacity - at
    if (bytes <= beforeEnd) {
      target.set(this.#data.subarray(at, at + bytes))
    } else {
      target.set(this.#data.subarray(at))
      target.set(this.#data.subarray(0, bytes - beforeEnd), beforeEnd)
    }
    Atomics.store(this.#words, READ, (read + bytes) | 0)
    Atomics.notify(this.#words, READ)
    return bytes
  }
}
