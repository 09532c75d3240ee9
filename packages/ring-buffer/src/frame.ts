import { RingBufferError } from './error.js'

/** Bytes before each message: its length, least significant byte first. They may go round the ring's end. */
export const LENGTH_BYTES = 4

type Data = Uint8Array<SharedArrayBuffer>

/** Puts a length into the ring, and returns the position after it. */
export function putLength(data: Data, position: number, length: number): number {
  let at = position
  for (let bits = 0; bits < 32; bits += 8) {
    data[at] = length >>> bits
    if (++at === data.length) at = 0
  }
  return at
}

/**
 * The length of the message at `position`, of which `available` bytes with its length are in the ring. Whole
 * messages are published, so a length that goes beyond them is `CORRUPT_MESSAGE` (I15).
 */
export function lengthAt(data: Data, position: number, available: number): number {
  let length = 0
  let at = position
  for (let bits = 0; bits < 32; bits += 8) {
    length |= (data[at] as number) << bits
    if (++at === data.length) at = 0
  }
  length >>>= 0
  if (length <= available - LENGTH_BYTES) return length
  throw new RingBufferError(
    'CORRUPT_MESSAGE',
    `Cannot take a message of ${length} bytes: the ring has ${available} with its length`,
  )
}
