import { describe, requireBytes } from './argument.js'
import { WORD_BYTES, wordsOf } from './frame.js'
import { attachPadded } from './padded-layout.js'
import { RingProducer } from './ring-producer.js'
import type { WaitOptions } from './wait.js'
import type { SideOptions } from './writer-side.js'

/**
 * The sending side of a message ring: messages arrive in order, each whole or not at all. One thread at a
 * time may use it, and only {@link send} blocks.
 *
 * Everything that sends copies, and throws `TypeError` for what is no `Uint8Array` (a `Buffer` is one) or
 * after `end` or `fail`, `RangeError` for a message that the ring could never hold, and `RingBufferError`
 * with `CANCELLED` once the receiver has cancelled (its reason is the `cause`), with `PEER_GONE` once `peer`
 * has ended, with `CORRUPT_HEADER` when the cursors can't be right.
 */
export class MessageSender extends RingProducer {
  /** The longest message that the ring can hold, in bytes: its capacity less 8. */
  readonly maxMessageBytes: number

  /**
   * Throws `TypeError` unless `buffer` comes from `createMessageRing`, or when `peer` is no peer, and
   * `RangeError` unless `spin` is an integer from 0 on.
   */
  constructor(buffer: SharedArrayBuffer, options: SideOptions = {}) {
    super(attachPadded('message', buffer), options)
    this.maxMessageBytes = this.data.length - WORD_BYTES
  }

  /** Sends the message; `false` when there is no room for it yet, or while `sendAsync` waits for some. */
  trySend(message: Uint8Array): boolean {
    this.#requireFitting(message)
    return this.side.line.length === 0 && this.#put(message)
  }

  /**
   * Blocks its thread until there is room, and sends the message: `true`; `false` after `timeoutMs`, when
   * nothing is sent. A blocked thread hears neither `signal` nor `peer`: both are looked at before.
   *
   * Throws `TypeError` while `sendAsync` waits, as that would never end, and `RingBufferError`
   * `WAIT_NOT_ALLOWED` where a thread must not block.
   */
  send(message: Uint8Array, options: WaitOptions = {}): boolean {
    this.#requireFitting(message)
    return this.side.line.wait(() => this.#attempt(message), options) ?? false
  }

  /**
   * {@link send} without blocking, in the order of the calls; keeps the thread alive. Rejects with the reason
   * of `signal` when nothing is sent. The message must not change before.
   */
  async sendAsync(message: Uint8Array, options: WaitOptions = {}): Promise<boolean> {
    this.#requireFitting(message)
    return (await this.side.line.waitAsync(() => this.#attempt(message), options)) ?? false
  }

  /**
   * Sends as many of the messages, from the first on, as there is room for, and answers how many that were.
   * The receiver sees them all at once, and is woken once. While `sendAsync` waits, none.
   */
  sendBatch(messages: readonly Uint8Array[]): number {
    if (!Array.isArray(messages)) throw new TypeError(`messages must be an array, got ${describe(messages)}`)
    if (this.side.line.length > 0) return 0
    let room = this.side.room(0)
    const { position } = this.side.role
    let words = 0
    let sent = 0
    for (const message of messages) {
      this.#requireFitting(message)
      const next = words + wordsOf(message.length)
      if (next > room) {
        room = this.side.room(next)
        if (next > room) break
      }
      this.#copy(position * WORD_BYTES, words * WORD_BYTES, message)
      words = next
      sent++
    }
    this.side.publish(words)
    return sent
  }

  #attempt(message: Uint8Array): true | undefined {
    return this.#put(message) || undefined
  }

  #put(message: Uint8Array): boolean {
    const words = wordsOf(message.length)
    if (this.side.room(words) < words) return false
    this.#copy(this.side.role.position * WORD_BYTES, 0, message)
    this.side.publish(words)
    return true
  }

  /** Puts the message into the ring, so many bytes after a position. */
  #copy(position: number, bytes: number, message: Uint8Array): void {
    const at = this.data.after(position, bytes)
    this.data.putUint32(at, message.length)
    this.data.copyIn(this.data.after(at, WORD_BYTES), message)
  }

  #requireFitting(message: Uint8Array): void {
    requireBytes('message', message)
    if (message.length > this.maxMessageBytes) throw tooLong(message, this.maxMessageBytes)
  }
}

function tooLong(message: Uint8Array, most: number): RangeError {
  return new RangeError(`Cannot send ${message.length} bytes: the ring holds a message of at most ${most}`)
}
