import { loadError, storeError } from './carried-error.js'
import type { Doorbell, FlagDoorbell } from './doorbell.js'
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
import { type PeerWatch, watchPeer } from './peer.js'
import { Role } from './role.js'
import { looksBeforeSleep } from './spin.js'
import { WaitingLine } from './waiting-line.js'
import type { SideOptions } from './writer-side.js'

/** What every consumer of a padded ring is: a role, what comes after the data, and a line of waiting calls. */
export class ReaderSide {
  readonly role: Role
  readonly line: WaitingLine
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #readable: FlagDoorbell
  readonly #doorbells: readonly Doorbell[]
  readonly #peer: PeerWatch | undefined

  constructor({ words, cursors, readable, cancelled }: PaddedRing, { peer, spin }: SideOptions) {
    this.#words = words
    this.#readable = readable
    this.#doorbells = [cursors.writable, cancelled]
    this.#peer = watchPeer(peer)
    this.role = new Role(cursors, 'consumer')
    this.line = new WaitingLine(cursors.readable, { spin: looksBeforeSleep(spin), peer: this.#peer })
  }

  /**
   * Bytes to read, at least `wanted` if there are as many: `undefined` when there are none yet, `null` at the
   * end or after a cancellation. Throws the writer's error after the data, or `PEER_GONE`.
   */
  available(wanted: number): number | undefined | null {
    if (this.#words[READER_STATE] !== READER.OPEN) return null // I2: own word, so a plain read sees what this side stored
    const bytes = this.role.room(wanted)
    return bytes > 0 ? bytes : this.#lookAgain(wanted)
  }

  #lookAgain(wanted: number): number | undefined | null {
    const state = Atomics.load(this.#words, WRITER_STATE) // I14: before the last look at the cursor
    const last = this.role.room(wanted)
    if (last > 0) return last
    switch (state) {
      case WRITER.OPEN:
        if (this.#peer?.gone) {
          throw new RingBufferError('PEER_GONE', 'Cannot read on: the writer is gone, and has not ended')
        }
        return undefined
      case WRITER.ENDED:
        return null
      case WRITER.FAILED:
        throw loadError(this.#words, WRITER_ERROR_BYTE)
      default:
        throw new RingBufferError('CORRUPT_HEADER', `Cannot read on: ${state} is no state of a writer`)
    }
  }

  cancel(reason: unknown): void {
    if (this.#words[READER_STATE] !== READER.OPEN) return // I2, I14: own word, and the first one counts
    storeError(this.#words, READER_REASON_BYTE, reason)
    Atomics.store(this.#words, READER_STATE, READER.CANCELLED) // I14: after the reason
    this.#readable.leave()
    for (const doorbell of this.#doorbells) doorbell.ring()
    this.line.wake()
  }
}
