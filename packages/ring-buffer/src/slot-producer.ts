import { requireBytes } from './argument.js'
import { attachPadded } from './padded-layout.js'
import { UnitProducer } from './unit-producer.js'
import type { SideOptions } from './writer-side.js'

/**
 * The writing side of a slot ring: records of `slotSize` bytes. One thread at a time may use it, and only
 * `waitWritable` blocks.
 */
export class SlotProducer extends UnitProducer<Uint8Array> {
  /** Bytes of each record. */
  readonly slotSize: number

  /**
   * Throws `TypeError` unless `buffer` comes from `createSlotRing`, or when `peer` is no peer, and `RangeError`
   * unless `spin` is an integer from 0 on.
   */
  constructor(buffer: SharedArrayBuffer, options: SideOptions = {}) {
    const ring = attachPadded('slot', buffer)
    super(ring, options)
    this.slotSize = ring.unitBytes
  }

  /** @internal */
  protected requireValue(record: Uint8Array): void {
    requireBytes('record', record)
    if (record.length === this.slotSize) return
    throw new RangeError(`Cannot push ${record.length} bytes: each record has ${this.slotSize}`)
  }

  /** @internal */
  protected put(slot: number, record: Uint8Array): void {
    this.data.copyIn(slot * this.slotSize, record)
  }
}
