import { requireBytes, requireCount } from './argument.js'
import { attachPadded } from './padded-layout.js'
import { RingProducer } from './ring-producer.js'
import type { WaitOptions } from './wait.js'
import type { SideOptions } from './writer-side.js'

/**
 * The writing side of a byte channel. One thread at a time may use it, and only {@link write} blocks.
 *
 * Everything that writes copies, and throws `TypeError` for what is no `Uint8Array` (a `Buffer` is one) or
 * after `end` or `fail`, and `RingBufferError` with `CANCELLED` once the reader has cancelled (its reason is
 * the `cause`), with `PEER_GONE` once `peer` has ended, with `CORRUPT_HEADER` when the cursors can't be right.
 */
export class RingWriter extends RingProducer {
  /**
   * Throws `TypeError` unless `buffer` comes from `createRingChannel`, or when `peer` is no peer, and
   * `RangeError` unless `spin` is an integer from 0 on.
   */
  constructor(buffer: SharedArrayBuffer, options: SideOptions = {}) {
    super(attachPadded('channel', buffer), options)
  }

  /**
   * Writes the whole chunk; `false` when there is no room for all of it, which a chunk longer than the
   * capacity always gets, or while `writeAsync` waits for some. An empty chunk wakes nobody.
   */
  tryWrite(chunk: Uint8Array): boolean {
    requireBytes('chunk', chunk)
    if (this.side.line.length > 0 || this.side.room(chunk.length) < chunk.length) return false
    this.#put(chunk)
    return true
  }

  /**
   * Writes the chunk, however long, in pieces as room comes, and blocks its thread meanwhile. Answers how many
   * bytes were written: all, or fewer when `timeoutMs` is over. A blocked thread hears neither `signal` nor
   * `peer`: both are looked at before.
   *
   * Throws `TypeError` while `writeAsync` waits, as that would never end, and `RingBufferError`
   * `WAIT_NOT_ALLOWED` where a thread must not block.
   */
  write(chunk: Uint8Array, options: WaitOptions = {}): number {
    requireBytes('chunk', chunk)
    const progress = { written: 0 }
    this.side.line.wait(() => this.#attempt(chunk, progress), options)
    return progress.written
  }

  /**
   * {@link write} without blocking, in the order of the calls; keeps the thread alive. Rejects with the reason
   * of `signal`; pieces of the chunk may have been written then. The chunk must not change before.
   */
  async writeAsync(chunk: Uint8Array, options: WaitOptions = {}): Promise<number> {
    requireBytes('chunk', chunk)
    const progress = { written: 0 }
    await this.side.line.waitAsync(() => this.#attempt(chunk, progress), options)
    return progress.written
  }

  /**
   * Resolves to `true` as soon as {@link tryWrite} has room for `bytes` bytes, to `false` after `timeoutMs`. Writes
   * nothing, and keeps the thread alive. Rejects with the reason of `signal`.
   *
   * @param bytes an integer from 1 to the capacity, else `RangeError`; default 1
   */
  async waitWritableAsync(bytes: number = 1, options: WaitOptions = {}): Promise<boolean> {
    requireCount('bytes', bytes)
    if (bytes > this.data.length) {
      throw new RangeError(`Cannot wait for room for ${bytes} bytes: the ring holds ${this.data.length}`)
    }
    const attempt = (): true | undefined => this.side.room(bytes) >= bytes || undefined
    return (await this.side.line.waitAsync(attempt, options)) ?? false
  }

  /**
   * A web stream of bytes into this writer, with its backpressure: closing it is {@link end}, aborting it
   * {@link fail}, and it errors when the reader cancels.
   */
  toWritableStream(): WritableStream<Uint8Array> {
    return new WritableStream<Uint8Array>({
      start: controller => {
        this.cancelled.then(
          reason => controller.error(reason),
          error => controller.error(error),
        )
      },
      write: async (chunk, controller) => {
        const { signal } = controller as unknown as { signal: AbortSignal } // its abort; the types lack it
        try {
          await this.writeAsync(chunk, { signal })
        } catch (error) {
          this.fail(error) // a stream whose write failed writes no more, and is not told to abort
          throw error
        }
      },
      close: () => this.end(),
      abort: reason => this.fail(reason),
    })
  }

  #attempt(chunk: Uint8Array, progress: { written: number }): true | undefined {
    const left = chunk.length - progress.written
    if (left < 0) throw new TypeError('Cannot write on: chunk became shorter while it waited for room')
    const bytes = Math.min(left, this.side.room(Math.min(left, this.data.length)))
    this.#put(bytes === chunk.length ? chunk : chunk.subarray(progress.written, progress.written + bytes))
    progress.written += bytes
    return bytes === left || undefined
  }

  #put(bytes: Uint8Array): void {
    this.data.copyIn(this.side.role.position, bytes)
    this.side.publish(bytes.length)
  }
}
