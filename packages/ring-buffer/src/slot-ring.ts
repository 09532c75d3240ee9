import { requireCount } from './argument.js'
import { requireCapacity } from './layout.js'
import { allocatePadded } from './padded-layout.js'

/**
 * Memory for an empty ring of records of one size, to be posted to the other thread. One side then makes its
 * {@link SlotProducer} on it, the other its {@link SlotConsumer}. For any thread.
 *
 * @param options.slots records that may be under way, a positive integer
 * @param options.slotSize bytes of each, a positive integer; `RangeError` also when both make more than 2^31
 */
export function createSlotRing({ slots, slotSize }: { slots: number; slotSize: number }): {
  buffer: SharedArrayBuffer
} {
  requireCount('slots', slots)
  requireCount('slotSize', slotSize)
  requireCapacity(slots * slotSize)
  return { buffer: allocatePadded('slot', slots, slotSize) }
}

/**
 * Memory for an empty ring of numbers, for a {@link Float64Producer} and a {@link Float64Consumer}; else like
 * {@link createSlotRing}.
 *
 * @param options.slots numbers that may be under way, an integer from 1 to 2^28, else `RangeError`
 */
export function createFloat64Ring({ slots }: { slots: number }): { buffer: SharedArrayBuffer } {
  requireCount('slots', slots)
  requireCapacity(slots * Float64Array.BYTES_PER_ELEMENT)
  return { buffer: allocatePadded('float64', slots, Float64Array.BYTES_PER_ELEMENT) }
}
