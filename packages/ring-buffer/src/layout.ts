import { describe, requireCount } from './argument.js'
import { RingBufferError } from './error.js'

// byte  word       sole writer  range
//    0  writePos   producer     0..2^32-1 read unsigned; counts the bytes written
//    4  readPos    consumer     0..2^32-1 read unsigned; counts the bytes read, never passes writePos
//    8  data       producer     `capacity` bytes; the byte with the count p lies at p % capacity
//
// Both words grow, by the bytes of one operation at a time, and mean the position `word % capacity`.
// The successor of 2^32-1 is 0 only where the capacity divides 2^32. Elsewhere that step would jump
// (with 1000 from position 295 to 0), so a count that reaches 2^32 is lowered by the largest multiple
// of the capacity below 2^32: with 1000, 2^32-1 is followed by 296. See cursors.ts.

/** Index of the producer's cursor in an `Int32Array` over the buffer. */
export const WRITE_POS = 0
/** Index of the consumer's cursor in an `Int32Array` over the buffer. */
export const READ_POS = 1
/** Bytes before the data. */
export const HEADER_BYTES = 8
/** Cursors tell a full ring from an empty one only while 2^32 holds the capacity twice. */
export const MAX_CAPACITY: number = 2 ** 31

/** A zeroed buffer for an empty ring. Throws `RangeError` unless `capacity` is an integer from 1 to 2^31. */
export function allocate(capacity: number): SharedArrayBuffer {
  requireCapacity(capacity)
  return sharedMemory(HEADER_BYTES + capacity)
}

/** Zeroed shared memory, or `UNSUPPORTED` where there is none. */
export function sharedMemory(bytes: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer === 'function') return new SharedArrayBuffer(bytes)
  throw new RingBufferError(
    'UNSUPPORTED',
    'Cannot make a ring: SharedArrayBuffer is missing; a web page must be cross-origin isolated',
  )
}

/** The capacity that both sides derive from the buffer alone. */
export function capacityOf(buffer: SharedArrayBuffer): number {
  requireFixedMemory(buffer)
  const capacity = buffer.byteLength - HEADER_BYTES
  if (capacity < 1 || capacity > MAX_CAPACITY) {
    throw new RangeError(
      `Cannot attach a ring: buffer has ${buffer.byteLength} bytes, not ${HEADER_BYTES + 1} to ${HEADER_BYTES + MAX_CAPACITY}`,
    )
  }
  return capacity
}

/** Throws `RangeError` unless `capacity` is one that cursors can count: an integer from `least` to 2^31. */
export function requireCapacity(capacity: number, least = 1): void {
  requireCount('capacity', capacity)
  if (capacity >= least && capacity <= MAX_CAPACITY) return
  throw new RangeError(`Cannot make a ring of ${capacity} bytes: capacity is ${least} to ${MAX_CAPACITY}`)
}

/** Throws `TypeError` unless `buffer` is shared memory whose size never changes. */
export function requireFixedMemory(buffer: SharedArrayBuffer): void {
  if (Object.prototype.toString.call(buffer) !== '[object SharedArrayBuffer]') {
    throw new TypeError(`Cannot attach a ring: buffer must be a SharedArrayBuffer, got ${describe(buffer)}`)
  }
  if (buffer.growable) {
    throw new TypeError('Cannot attach a ring: buffer is growable, so its capacity could change')
  }
}
