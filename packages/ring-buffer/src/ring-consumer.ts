import type { PaddedRing } from './padded-layout.js'
import { ReaderSide } from './reader-side.js'
import type { RingData } from './ring-data.js'
import type { SideOptions } from './writer-side.js'

/** What every reading side of a padded ring has: a way to say that it wants no more. */
export abstract class RingConsumer {
  /** @internal */
  protected readonly data: RingData
  /** @internal */
  protected readonly side: ReaderSide

  /** @internal */
  constructor(ring: PaddedRing, options: SideOptions) {
    this.data = ring.data
    this.side = new ReaderSide(ring, options)
  }

  /**
   * Wants no more: the writer's calls fail with `CANCELLED` and its `cancelled` resolves, to an `Error` of the
   * reason's name, message and code, 508 bytes in all; a reason that is no `Error` becomes its message. This side
   * gets `null` from then on. Only the first call counts.
   */
  cancel(reason: unknown = 'cancelled'): void {
    this.side.cancel(reason)
  }
}
