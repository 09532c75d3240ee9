import { loadError, storeError } from './carried-error.js'
import type { Doorbell } from './doorbell.js'
import { RingBufferError } from './error.js'
import {
  type PaddedRing,
  READER,
  READER_REASON_BYTE,
  READER_STATE,
  WRITER,
  WRITER_ERROR_BYTE,
  WRITER_STATE,
} from './padded-layout.js'
import { type Peer, type PeerWatch, watchPeer } from './peer.js'
import { Role } from './role.js'
import { looksBeforeSleep } from './spin.js'
import { WaitingLine } from './waiting-line.js'
import { watchOf } from './word-watch.js'

/** What a side of a padded ring may be told. */
export interface SideOptions {
  /** The other side's life. When it ends, calls that would wait for it fail with `code: 'PEER_GONE'`. */
  peer?: Peer | undefined
  /** How often a blocking call looks before it sleeps, an integer from 0 on. Default 200, or 0 on one core. */
  spin?: number | undefined
}

/** What every producer of a padded ring is: a role, an end, and a line of calls that wait for room. */
export class WriterSide {
  readonly role: Role
  readonly line: WaitingLine
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #readable: Doorbell
  readonly #cancelDoorbell: Doorbell
  readonly #peer: PeerWatch | undefined
  #cancelled: Promise<Error> | undefined
  #stopWatching: (() => void) | undefined

  constructor({ words, cursors, cancelled }: PaddedRing, { peer, spin }: SideOptions) {
    this.#words = words
    this.#readable = cursors.readable
    this.#cancelDoorbell = cancelled
    this.#peer = watchPeer(peer)
    this.role = new Role(cursors, 'producer')
    this.line = new WaitingLine(cursors.writable, { spin: looksBeforeSleep(spin), peer: this.#peer })
  }

  /**
   * Room for `wanted` units, or less. Throws when nothing can be written any more, but where there is room a
   * cancellation shows in {@link publish}, at no cost.
   */
  room(wanted: number): number {
    // I2: own word, so a plain read sees what this side stored.
    if (this.#words[WRITER_STATE] !== WRITER.OPEN) {
      throw new TypeError('Cannot write: this side has ended or failed already')
    }
    const room = this.role.room(wanted)
    if (room < wanted || this.#peer?.gone) this.#requirePeer()
    return room
  }

  /** Hands the first `units` of the room to the reader. Throws when it has cancelled. */
  publish(units: number): void {
    if (units === 0) this.#requireReader()
    else if (!this.role.publish(units)) {
      this.#requireReader()
      this.#readable.wake() // the doorbell alone says that the reader has left: something else has written to it
    }
  }

  end(): void {
    if (this.line.length > 0) {
      throw new TypeError(`Cannot end: ${this.line.length} calls still wait for room, await them first`)
    }
    this.#close(WRITER.ENDED)
  }

  fail(error: unknown): void {
    this.#close(WRITER.FAILED, error)
  }

  /**
   * Resolves to the reader's reason. It keeps no thread alive, and stays pending once this side has ended or
   * failed: a watch for good would keep the ring's memory for good.
   */
  get cancelled(): Promise<Error> {
    this.#cancelled ??= new Promise((resolve, reject) => {
      const watch = watchOf(this.#cancelDoorbell)
      const check = (): void => {
        if (Atomics.load(this.#words, READER_STATE) === READER.OPEN) return // I14: the reason is complete before it
        this.#stopWatching?.()
        try {
          resolve(this.#reason())
        } catch (error) {
          reject(error)
        }
      }
      this.#stopWatching = () => watch.delete(check)
      watch.add(check)
      if (this.#words[WRITER_STATE] !== WRITER.OPEN) this.#stopWatching() // I2: own word
    })
    return this.#cancelled
  }

  #close(state: number, error?: unknown): void {
    if (this.#words[WRITER_STATE] !== WRITER.OPEN) return // I2, I14: own word, and the first one counts
    if (state === WRITER.FAILED) storeError(this.#words, WRITER_ERROR_BYTE, error)
    Atomics.store(this.#words, WRITER_STATE, state) // I14: after the error and after all that was published
    this.#readable.ring()
    this.line.wake()
    this.#stopWatching?.()
  }

  #requirePeer(): void {
    this.#requireReader()
    if (this.#peer?.gone) throw new RingBufferError('PEER_GONE', 'Cannot write: the reader is gone')
  }

  #requireReader(): void {
    if (Atomics.load(this.#words, READER_STATE) === READER.OPEN) return // I14: the reason is complete before it
    throw new RingBufferError('CANCELLED', 'Cannot write: the reader has cancelled', {
      cause: this.#reason(),
    })
  }

  #reason(): Error {
    return loadError(this.#words, READER_REASON_BYTE)
  }
}
