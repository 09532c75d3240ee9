import { WORD_BYTES } from './frame.js'
import { requireCapacity } from './layout.js'
import { allocatePadded } from './padded-layout.js'

/**
 * Memory for an empty ring of messages, to be posted to the other thread. One side then makes its
 * {@link MessageSender} on it, the other its {@link MessageReceiver}. For any thread.
 *
 * @param options.capacity bytes, an integer from 16 to 2^31, else `RangeError`; rounded up to a multiple of 8. Each
 * message takes its length, rounded up in the same way, and 8 bytes more.
 */
export function createMessageRing({ capacity }: { capacity: number }): { buffer: SharedArrayBuffer } {
  requireCapacity(capacity, 2 * WORD_BYTES)
  return { buffer: allocatePadded('message', Math.ceil(capacity / WORD_BYTES), WORD_BYTES) }
}
