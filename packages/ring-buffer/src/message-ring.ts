import { LENGTH_BYTES } from './frame.js'
import { requireCapacity } from './layout.js'
import { allocatePadded } from './padded-layout.js'

/**
 * Memory for an empty ring of messages, to be posted to the other thread. One side then makes its
 * {@link MessageSender} on it, the other its {@link MessageReceiver}. For any thread.
 *
 * @param options.capacity bytes, an integer from 5 to 2^31, else `RangeError`. Each message takes its length
 * and 4 bytes more.
 */
export function createMessageRing({ capacity }: { capacity: number }): { buffer: SharedArrayBuffer } {
  requireCapacity(capacity, LENGTH_BYTES + 1)
  return { buffer: allocatePadded('message', capacity) }
}
