import type { PaddedRing } from './padded-layout.js'
import type { RingData } from './ring-data.js'
import { type SideOptions, WriterSide } from './writer-side.js'

/** What every writing side of a padded ring has: an end, a failure, and news of the reader's cancellation. */
export abstract class RingProducer {
  /** @internal */
  protected readonly data: RingData
  /** @internal */
  protected readonly side: WriterSide

  /** @internal */
  constructor(ring: PaddedRing, options: SideOptions) {
    this.data = ring.data
    this.side = new WriterSide(ring, options)
  }

  /**
   * Nothing more comes: the reader gets `null` after what was published before. What comes first of `end` and
   * `fail` counts. Throws `TypeError` while asynchronous calls wait for room.
   */
  end(): void {
    this.side.end()
  }

  /**
   * Something went wrong: the reader throws `error` after what was published before. It gets the name, the
   * message and the code, 508 bytes in all; of a message that is too long the beginning. Asynchronous calls
   * that wait for room reject with `TypeError`.
   */
  fail(error: unknown): void {
    this.side.fail(error)
  }

  /**
   * Resolves when the reader cancels, to an `Error` with its reason's name, message and code. Keeps no thread
   * alive, and stays pending when the reader never cancels, or not before this side has ended or failed.
   */
  get cancelled(): Promise<Error> {
    return this.side.cancelled
  }
}
