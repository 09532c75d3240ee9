import { describe, requireBytes, requireCount } from './argument.js'
import { Cursors } from './cursors.js'
import { allocate, capacityOf, HEADER_BYTES, READ_POS, WRITE_POS } from './layout.js'
import { RingData } from './ring-data.js'
import { Role } from './role.js'
import { type Condition, requireWaitOptions, type WaitOptions, waitUntil, waitUntilAsync } from './wait.js'

/**
 * A queue of bytes from one thread to another, without locks, on a `SharedArrayBuffer` of `8 + capacity`
 * bytes: Int32 `writePos` at 0, Int32 `readPos` at 4, data from 8.
 *
 * One thread at a time is the producer and one the consumer; both may be the same thread. What belongs to
 * neither is for any thread. Only `waitReadable` and `waitWritable` ever block. Every member that looks at
 * the cursors throws a `RingBufferError` `CORRUPT_HEADER` when they can't be right.
 */
export class SharedRingBuffer {
  /** How many bytes the ring holds. */
  readonly capacity: number
  readonly #buffer: SharedArrayBuffer
  readonly #data: RingData
  readonly #cursors: Cursors
  readonly #producer: Role
  readonly #consumer: Role

  /**
   * An empty ring in new memory.
   *
   * @param capacity bytes, an integer from 1 to 2^31; else `RangeError`
   */
  constructor(capacity: number)
  /** @internal The way in is `fromSharedBuffer`. */
  constructor(capacity: number, buffer: SharedArrayBuffer)
  constructor(capacity: number, buffer: SharedArrayBuffer = allocate(capacity)) {
    this.capacity = capacity
    this.#buffer = buffer
    this.#data = new RingData(buffer, HEADER_BYTES, capacity)
    const words = new Int32Array(buffer, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT)
    this.#cursors = new Cursors(words, WRITE_POS, READ_POS, capacity)
    this.#producer = new Role(this.#cursors, 'producer')
    this.#consumer = new Role(this.#cursors, 'consumer')
  }

  /**
   * The ring that another thread, or another object of this one, has made on `buffer`, with what is in it.
   *
   * Throws `TypeError` unless `buffer` is a `SharedArrayBuffer` of fixed length, `RangeError` unless it has
   * 9 to 2^31 + 8 bytes, and `RingBufferError` `CORRUPT_HEADER` when its cursors can't be right.
   */
  static fromSharedBuffer(buffer: SharedArrayBuffer): SharedRingBuffer {
    const ring = new SharedRingBuffer(capacityOf(buffer), buffer)
    ring.#cursors.used()
    return ring
  }

  /** The memory, to be posted to the other thread. */
  getSharedBuffer(): SharedArrayBuffer {
    return this.#buffer
  }

  /** Bytes of the shared memory: `8 + capacity`. */
  get byteLength(): number {
    return this.#buffer.byteLength
  }

  /** Bytes in the ring now. More may come while the consumer looks, never fewer. */
  get availableToRead(): number {
    return this.#cursors.used()
  }

  /** Bytes of room now. More may come while the producer looks, never fewer. */
  get availableToWrite(): number {
    return this.capacity - this.#cursors.used()
  }

  /** Whether there is nothing to read now. */
  get isEmpty(): boolean {
    return this.#cursors.used() === 0
  }

  /** Whether there is no room now. */
  get isFull(): boolean {
    return this.#cursors.used() === this.capacity
  }

  /**
   * Producer: copies the whole chunk into the ring, or nothing and answers `false`, which a chunk longer than
   * the capacity always gets. An empty chunk is `true`, and wakes nobody.
   *
   * Throws `TypeError` unless `chunk` is a `Uint8Array` (a `Buffer` is one), and while bytes are reserved.
   */
  write(chunk: Uint8Array): boolean {
    requireBytes('chunk', chunk)
    if (!this.#hasRoomFor(chunk.length)) return false
    this.#data.copyIn(this.#producer.position, chunk)
    this.#producer.publish(chunk.length)
    return true
  }

  /** Producer: {@link write} of several chunks as if they were one: all of them or none, published at once. */
  writev(chunks: readonly Uint8Array[]): boolean {
    if (!Array.isArray(chunks)) throw new TypeError(`chunks must be an array, got ${describe(chunks)}`)
    let bytes = 0
    chunks.forEach((chunk, index) => {
      requireBytes(`chunks[${index}]`, chunk)
      bytes += chunk.length
    })
    if (!this.#hasRoomFor(bytes)) return false
    let position = this.#producer.position
    for (const chunk of chunks) position = this.#data.copyIn(position, chunk)
    this.#producer.publish(bytes)
    return true
  }

  /**
   * Producer: views of exactly `n` bytes of room, to be filled and then committed: one, or two where they go
   * round the end; none when there is less room. The consumer sees nothing of it before {@link commit}.
   * Reserving again replaces the reservation; `write` and `writev` throw while there is one.
   *
   * @param n bytes, an integer from 1 to the capacity; else `RangeError`
   */
  reserve(n: number): Uint8Array<SharedArrayBuffer>[] {
    this.#requireCapacityFor('reserve', n)
    const bytes = this.#producer.room(n) < n ? 0 : n
    this.#producer.claim(bytes)
    return this.#data.spans(this.#producer.position, bytes)
  }

  /**
   * Producer: publishes the first `k` reserved bytes and ends the reservation; 0 gives it up. The views are
   * the consumer's then: write to them no more.
   *
   * @param k an integer from 0 to what is reserved; else `RangeError`, and the reservation stays
   */
  commit(k: number): void {
    this.#producer.settle(k)
  }

  /**
   * Consumer: a copy, in memory of its own, of the next bytes, as many as there are up to `maxBytes`;
   * `null` when there are none. What was peeked can't be consumed any more.
   *
   * @param maxBytes a positive integer; else `RangeError`
   */
  read(maxBytes: number): Uint8Array<ArrayBuffer> | null {
    requireCount('maxBytes', maxBytes)
    const bytes = Math.min(maxBytes, this.#consumer.room(maxBytes))
    if (bytes === 0) return null
    const target = new Uint8Array(bytes)
    this.#data.copyOut(this.#consumer.position, target, bytes)
    this.#consumer.publish(bytes)
    return target
  }

  /**
   * Consumer: {@link read} into the beginning of `target`; allocates nothing. Answers how many bytes that
   * were, 0 when there were none. Throws `TypeError` unless `target` is a `Uint8Array`.
   */
  readInto(target: Uint8Array): number {
    requireBytes('target', target)
    const bytes = Math.min(target.length, this.#consumer.room(target.length))
    this.#data.copyOut(this.#consumer.position, target, bytes)
    this.#consumer.publish(bytes)
    return bytes
  }

  /**
   * Consumer: views of the next bytes, as many as there are up to `maxBytes`, which stay in the ring until
   * they are consumed or read: one view, two where the bytes go round the end, none when the ring is empty.
   *
   * @param maxBytes a positive integer; else `RangeError`
   */
  peek(maxBytes: number): Uint8Array<SharedArrayBuffer>[] {
    requireCount('maxBytes', maxBytes)
    const bytes = Math.min(maxBytes, this.#consumer.room(maxBytes))
    this.#consumer.claim(bytes)
    return this.#data.spans(this.#consumer.position, bytes)
  }

  /**
   * Consumer: gives the first `k` peeked bytes back to the producer and ends the peek. The views are the
   * producer's then: read them no more.
   *
   * @param k an integer from 0 to what was peeked; else `RangeError`, and the peek stays
   */
  consume(k: number): void {
    this.#consumer.settle(k)
  }

  /**
   * Blocks its thread until at least `n` bytes are there to read (`true`) or time is up (`false`).
   *
   * Throws `RangeError` at once when `n` is no integer from 1 to the capacity, the signal's reason when it is
   * aborted already, and `RingBufferError` `WAIT_NOT_ALLOWED` where a thread must not block.
   */
  waitReadable(n = 1, options: WaitOptions = {}): boolean {
    return this.#wait(this.#readable(n), options)
  }

  /** Blocks its thread until there is room for at least `n` bytes; else like {@link waitReadable}. */
  waitWritable(n = 1, options: WaitOptions = {}): boolean {
    return this.#wait(this.#writable(n), options)
  }

  /**
   * Resolves when at least `n` bytes are there to read (`true`) or time is up (`false`); the thread goes on
   * meanwhile, and stays alive. Rejects with `RangeError` when `n` is no integer from 1 to the capacity, and
   * with the signal's reason when it is aborted.
   */
  async waitReadableAsync(n = 1, options: WaitOptions = {}): Promise<boolean> {
    return waitUntilAsync(this.#readable(n), options)
  }

  /** Resolves when there is room for at least `n` bytes; else like {@link waitReadableAsync}. */
  async waitWritableAsync(n = 1, options: WaitOptions = {}): Promise<boolean> {
    return waitUntilAsync(this.#writable(n), options)
  }

  #wait(condition: Condition, options: WaitOptions): boolean {
    requireWaitOptions(options)
    return condition.holds() || waitUntil(condition, options)
  }

  #hasRoomFor(bytes: number): boolean {
    const { claimed } = this.#producer
    if (claimed > 0) throw new TypeError(`Cannot write ${bytes} bytes: ${claimed} are reserved, commit first`)
    return this.#producer.room(bytes) >= bytes
  }

  #requireCapacityFor(verb: string, n: number): void {
    requireCount('n', n)
    if (n > this.capacity) throw new RangeError(`Cannot ${verb} ${n} bytes: the ring holds ${this.capacity}`)
  }

  #readable(n: number): Condition {
    this.#requireCapacityFor('wait for', n)
    return { doorbell: this.#cursors.readable, holds: () => this.#cursors.used() >= n }
  }

  #writable(n: number): Condition {
    this.#requireCapacityFor('wait for room for', n)
    return { doorbell: this.#cursors.writable, holds: () => this.capacity - this.#cursors.used() >= n }
  }
}
