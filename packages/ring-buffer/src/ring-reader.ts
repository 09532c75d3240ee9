import { requireBytes, requireCount } from './argument.js'
import { attachPadded } from './padded-layout.js'
import { RingConsumer } from './ring-consumer.js'
import type { WaitOptions } from './wait.js'
import type { SideOptions } from './writer-side.js'

/** Bytes at a time where the caller doesn't say: large enough for its costs not to count. */
const CHUNK_BYTES = 65_536

type Bytes = Uint8Array<ArrayBuffer>

/**
 * The reading side of a byte channel. One thread at a time may use it, and only {@link read} blocks.
 *
 * What reads throws, after the bytes before it, the error that the writer failed with (an `Error` of its
 * name, message and code); `RingBufferError` with `PEER_GONE` once `peer` has ended without `end` or `fail`,
 * with `CORRUPT_HEADER` when something else has written to the buffer.
 */
export class RingReader extends RingConsumer {
  /**
   * Throws `TypeError` unless `buffer` comes from `createRingChannel`, or when `peer` is no peer, and
   * `RangeError` unless `spin` is an integer from 0 on.
   */
  constructor(buffer: SharedArrayBuffer, options: SideOptions = {}) {
    super(attachPadded('channel', buffer), options)
  }

  /**
   * A copy of the next bytes, as many as there are up to `max`; `undefined` when there are none yet, or while
   * `readAsync` waits for them; `null` at the end, and after {@link cancel}.
   *
   * @param max bytes, a positive integer, else `RangeError`; default 65536
   */
  tryRead(max: number = CHUNK_BYTES): Bytes | undefined | null {
    requireCount('max', max)
    return this.side.line.length > 0 ? undefined : this.#take(max)
  }

  /**
   * Blocks its thread until there are bytes, or `null` at the end; `undefined` after `timeoutMs`. A blocked
   * thread hears neither `signal` nor `peer`: both are looked at before.
   *
   * Throws `TypeError` while `readAsync` waits, as that would never end, and `RingBufferError`
   * `WAIT_NOT_ALLOWED` where a thread must not block.
   */
  read(max: number = CHUNK_BYTES, options: WaitOptions = {}): Bytes | undefined | null {
    requireCount('max', max)
    return this.side.line.wait(() => this.#take(max), options)
  }

  /**
   * {@link read} without blocking; several calls get bytes in their order. Keeps the thread alive. Rejects with
   * the reason of `signal`, and takes nothing then.
   */
  async readAsync(max: number = CHUNK_BYTES, options: WaitOptions = {}): Promise<Bytes | undefined | null> {
    requireCount('max', max)
    return this.side.line.waitAsync(() => this.#take(max), options)
  }

  /**
   * {@link tryRead} into the beginning of `target`; answers how many bytes that were, `undefined` when there
   * are none yet, `null` at the end. Throws `TypeError` unless `target` is a `Uint8Array`, `RangeError` when
   * it is empty.
   */
  readInto(target: Uint8Array): number | undefined | null {
    requireBytes('target', target)
    requireCount('target.length', target.length)
    if (this.side.line.length > 0) return undefined
    const available = this.side.available(target.length)
    if (available === undefined || available === null) return available
    return this.#copy(target, Math.min(target.length, available))
  }

  /** The bytes in copies of up to 65536, without blocking. Leaving the loop early cancels. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, undefined> {
    for (let bytes = await this.readAsync(); bytes; bytes = await this.readAsync()) {
      let left = true
      try {
        yield bytes
        left = false
      } finally {
        if (left) this.cancel('the reader left its loop')
      }
    }
  }

  /** A web stream of the bytes, which reads when it is read from; cancelling it is {@link cancel}. */
  toReadableStream(): ReadableStream<Bytes> {
    return new ReadableStream<Bytes>(
      {
        pull: async controller => {
          const bytes = await this.readAsync()
          if (bytes) controller.enqueue(bytes)
          else controller.close()
        },
        cancel: reason => this.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }

  #take(max: number): Bytes | undefined | null {
    const available = this.side.available(max)
    if (available === undefined || available === null) return available
    const target = new Uint8Array(Math.min(max, available))
    this.#copy(target, target.length)
    return target
  }

  #copy(target: Uint8Array, bytes: number): number {
    this.data.copyOut(this.side.role.position, target, bytes)
    this.side.role.publish(bytes)
    return bytes
  }
}
