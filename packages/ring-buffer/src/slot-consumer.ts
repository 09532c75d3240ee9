import { requireBytes } from './argument.js'
import { attachPadded } from './padded-layout.js'
import { UnitConsumer } from './unit-consumer.js'
import type { SideOptions } from './writer-side.js'

/**
 * The reading side of a slot ring. One thread at a time may use it, and only `waitReadable` blocks.
 *
 * What takes records throws, after those before it, the error that the producer failed with (an `Error` of its
 * name, message and code); `RingBufferError` with `PEER_GONE` once `peer` has ended without `end` or `fail`,
 * with `CORRUPT_HEADER` when something else has written to the buffer.
 *
 * The records that `drain` hands out are views of the ring's own memory, valid only inside its callback.
 */
export class SlotConsumer extends UnitConsumer<Uint8Array> {
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

  /**
   * A copy of the next record, or `into` with the record in its first `slotSize` bytes, which allocates nothing;
   * `undefined` when there is none yet, `null` at the end, and after `cancel`. Throws `TypeError` unless `into`
   * is a `Uint8Array`, `RangeError` when it is shorter than a record.
   */
  pop(): Uint8Array<ArrayBuffer> | undefined | null
  pop<Target extends Uint8Array>(into: Target): Target | undefined | null
  pop(into?: Uint8Array): Uint8Array | undefined | null {
    if (into !== undefined) this.#requireRoom(into)
    const slot = this.next()
    if (slot === undefined || slot === null) return slot
    const target = into ?? new Uint8Array(this.slotSize)
    this.data.copyOut(slot * this.slotSize, target, this.slotSize)
    this.side.role.publish(1)
    return target
  }

  /** @internal */
  protected at(slot: number): Uint8Array {
    return this.data.view(slot * this.slotSize, this.slotSize)
  }

  #requireRoom(into: Uint8Array): void {
    requireBytes('into', into)
    if (into.length >= this.slotSize) return
    throw new RangeError(`Cannot pop ${this.slotSize} bytes: into holds ${into.length}`)
  }
}
