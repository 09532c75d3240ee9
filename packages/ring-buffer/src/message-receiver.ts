import { requireBytes } from './argument.js'
import { lengthAt, WORD_BYTES, wordsOf } from './frame.js'
import { attachPadded } from './padded-layout.js'
import { RingConsumer } from './ring-consumer.js'
import type { WaitOptions } from './wait.js'
import type { SideOptions } from './writer-side.js'

/**
 * The receiving side of a message ring. One thread at a time may use it, and only {@link receive} blocks.
 *
 * What receives throws, after the messages before it, the error that the sender failed with (an `Error` of
 * its name, message and code); `RingBufferError` with `PEER_GONE` once `peer` has ended without `end` or
 * `fail`, with `CORRUPT_HEADER` or `CORRUPT_MESSAGE` when something else has written to the buffer.
 */
export class MessageReceiver extends RingConsumer {
  #draining = false

  /**
   * Throws `TypeError` unless `buffer` comes from `createMessageRing`, or when `peer` is no peer, and
   * `RangeError` unless `spin` is an integer from 0 on.
   */
  constructor(buffer: SharedArrayBuffer, options: SideOptions = {}) {
    super(attachPadded('message', buffer), options)
  }

  /**
   * The next message, a copy in memory of its own; `undefined` when there is none yet, or while
   * `receiveAsync` waits for it; `null` at the end, and after {@link cancel}.
   */
  tryReceive(): Uint8Array<ArrayBuffer> | undefined | null {
    return this.side.line.length > 0 ? undefined : this.#take()
  }

  /**
   * {@link tryReceive} into the beginning of `target`, which allocates nothing; answers the message's length,
   * `undefined` when there is none yet, `null` at the end. Throws `TypeError` unless `target` is a `Uint8Array`,
   * and `RangeError` when the message is longer: it is still there then.
   */
  receiveInto(target: Uint8Array): number | undefined | null {
    requireBytes('target', target)
    if (this.side.line.length > 0) return undefined
    this.#requireNotDraining()
    const available = this.side.available(1)
    if (available === undefined || available === null) return available
    const length = lengthAt(this.data, this.side.role.position, available)
    if (length > target.length) throw tooLong(length, target)
    this.#copy(target, length)
    return length
  }

  /**
   * Blocks its thread until there is a message, or `null` at the end; `undefined` after `timeoutMs`. A blocked
   * thread hears neither `signal` nor `peer`: both are looked at before.
   *
   * Throws `TypeError` while `receiveAsync` waits, as that would never end, and `RingBufferError`
   * `WAIT_NOT_ALLOWED` where a thread must not block.
   */
  receive(options: WaitOptions = {}): Uint8Array<ArrayBuffer> | undefined | null {
    return this.side.line.wait(() => this.#take(), options)
  }

  /**
   * {@link receive} without blocking; several calls get messages in their order. Keeps the thread alive.
   * Rejects with the reason of `signal`, and takes nothing then.
   */
  async receiveAsync(options: WaitOptions = {}): Promise<Uint8Array<ArrayBuffer> | undefined | null> {
    return this.side.line.waitAsync(() => this.#take(), options)
  }

  /**
   * Calls `fn` with every message that is there now, and gives their memory back to the sender at once
   * afterwards. Answers how many there were: 0 when there is none yet, at the end (`tryReceive` tells which)
   * and while `receiveAsync` waits.
   *
   * A message is a view of the ring's own memory wherever it doesn't go round the end, valid only inside `fn`:
   * copy what you keep. When `fn` throws, so does `drain`; that message counts as taken, those behind it stay.
   * Within `fn` this receiver can't receive: `TypeError`.
   */
  drain(fn: (message: Uint8Array) => void): number {
    if (typeof fn !== 'function') throw new TypeError(`fn must be a function, got ${typeof fn}`)
    this.#requireNotDraining()
    if (this.side.line.length > 0) return 0
    const available = this.side.available(this.side.role.capacity) ?? 0
    if (available === 0) return 0
    const { role } = this.side
    const { position, capacity } = role
    let words = 0
    let count = 0
    this.#draining = true
    try {
      while (words < available) {
        const at = position + words
        const first = at < capacity ? at : at - capacity
        const length = lengthAt(this.data, first, available - words)
        const message = this.#view(this.data.after(first * WORD_BYTES, WORD_BYTES), length)
        words += wordsOf(length)
        count++
        fn(message)
      }
    } finally {
      this.#draining = false
      role.publish(words)
    }
    return count
  }

  #take(): Uint8Array<ArrayBuffer> | undefined | null {
    this.#requireNotDraining()
    const available = this.side.available(1)
    if (available === undefined || available === null) return available
    const message = new Uint8Array(lengthAt(this.data, this.side.role.position, available))
    this.#copy(message, message.length)
    return message
  }

  /** Takes the next message, of that length. */
  #copy(target: Uint8Array, length: number): void {
    const { role } = this.side
    this.data.copyOut(this.data.after(role.position * WORD_BYTES, WORD_BYTES), target, length)
    role.publish(wordsOf(length))
  }

  #view(position: number, length: number): Uint8Array {
    if (position + length <= this.data.length) return this.data.view(position, length)
    const copy = new Uint8Array(length)
    this.data.copyOut(position, copy, length)
    return copy
  }

  #requireNotDraining(): void {
    if (this.#draining)
      throw new TypeError('Cannot receive within drain: its messages are not given back yet')
  }
}

function tooLong(length: number, target: Uint8Array): RangeError {
  return new RangeError(`Cannot receive ${length} bytes: target holds ${target.length}`)
}
