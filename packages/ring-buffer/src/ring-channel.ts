import { requireCapacity } from './layout.js'
import { allocatePadded } from './padded-layout.js'

/**
 * Memory for an empty channel of bytes, to be posted to the other thread. One side then makes its
 * {@link RingWriter} on it, the other its {@link RingReader}. For any thread.
 *
 * @param options.capacity bytes that may be under way, an integer from 1 to 2^31, else `RangeError`
 */
export function createRingChannel({ capacity }: { capacity: number }): { buffer: SharedArrayBuffer } {
  requireCapacity(capacity)
  return { buffer: allocatePadded('channel', capacity) }
}
