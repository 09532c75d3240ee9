import { describe } from './argument.js'
import { attachPadded, DATA_BYTE } from './padded-layout.js'
import { UnitProducer } from './unit-producer.js'
import type { SideOptions } from './writer-side.js'

/** The writing side of a ring of numbers, else like a `SlotProducer`. */
export class Float64Producer extends UnitProducer<number> {
  readonly #numbers: Float64Array<SharedArrayBuffer>

  /**
   * Throws `TypeError` unless `buffer` comes from `createFloat64Ring`, or when `peer` is no peer, and
   * `RangeError` unless `spin` is an integer from 0 on.
   */
  constructor(buffer: SharedArrayBuffer, options: SideOptions = {}) {
    super(attachPadded('float64', buffer), options)
    this.#numbers = new Float64Array(buffer, DATA_BYTE, this.slots)
  }

  /** @internal */
  protected requireValue(value: number): void {
    if (typeof value !== 'number') throw new TypeError(`value must be a number, got ${describe(value)}`)
  }

  /** @internal */
  protected put(slot: number, value: number): void {
    this.#numbers[slot] = value
  }
}
