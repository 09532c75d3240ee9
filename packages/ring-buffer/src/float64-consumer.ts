import { attachPadded, DATA_BYTE } from './padded-layout.js'
import { UnitConsumer } from './unit-consumer.js'
import type { SideOptions } from './writer-side.js'

/** The reading side of a ring of numbers, else like a `SlotConsumer`. */
export class Float64Consumer extends UnitConsumer<number> {
  readonly #numbers: Float64Array<SharedArrayBuffer>

  /**
   * Throws `TypeError` unless `buffer` comes from `createFloat64Ring`, or when `peer` is no peer, and
   * `RangeError` unless `spin` is an integer from 0 on.
   */
  constructor(buffer: SharedArrayBuffer, options: SideOptions = {}) {
    super(attachPadded('float64', buffer), options)
    this.#numbers = new Float64Array(buffer, DATA_BYTE, this.slots)
  }

  /** The next number; `undefined` when there is none yet, `null` at the end, and after `cancel`. */
  pop(): number | undefined | null {
    const slot = this.next()
    if (slot === undefined || slot === null) return slot
    const value = this.at(slot)
    this.side.role.publish(1)
    return value
  }

  /** @internal */
  protected at(slot: number): number {
    return this.#numbers[slot] as number
  }
}
