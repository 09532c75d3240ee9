import { RingBufferError } from './error.js'
import type { RingData } from './ring-data.js'

/** Bytes before each message: its length, least significant byte first. They may go round the ring's end. */
export const LENGTH_BYTES = 4

/**
 * The length of the message at `position`, of which `available` bytes with its length are in the ring. Whole
 * messages are published, so a length that goes beyond them is `CORRUPT_MESSAGE` (I15).
 */
export function lengthAt(data: RingData, position: number, available: number): number {
  const length = data.uint32At(position)
  if (length <= available - LENGTH_BYTES) return length
  throw new RingBufferError(
    'CORRUPT_MESSAGE',
    `Cannot take a message of ${length} bytes: the ring has ${available} with its length`,
  )
}
