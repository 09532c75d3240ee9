import { SharedBufferError } from './errors.js'

/** Lengths and sizes live in Int32 words. */
export const MAX_INT32 = 0x7fff_ffff

/** Throws unless `value` is an integer in `1..max`. */
export function requirePositiveInteger(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new RangeError(`${name} must be an integer from 1 to ${max}, got ${describe(value)}`)
  }
}

/**
 * Throws unless `buffer` is a SharedArrayBuffer of fixed length. The check is by tag, because a buffer
 * may come from another realm (node:vm, an iframe). Growable ones are refused: views on them are slower,
 * and a length that was checked once could change.
 */
export function requireSharedMemory(buffer: SharedArrayBuffer): void {
  if (Object.prototype.toString.call(buffer) !== '[object SharedArrayBuffer]') {
    throw new TypeError(`buffer must be a SharedArrayBuffer, got ${describe(buffer)}`)
  }
  if (buffer.growable) throw new TypeError('buffer must be of fixed length, got a growable SharedArrayBuffer')
}

/** Zero-filled shared memory, or an error that says why there is none. */
export function allocateSharedMemory(bytes: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new SharedBufferError(
      'UNSUPPORTED',
      'Cannot allocate shared memory: SharedArrayBuffer is missing; a web page must be cross-origin isolated',
    )
  }
  try {
    return new SharedArrayBuffer(bytes)
  } catch (cause) {
    throw new RangeError(`Cannot allocate ${bytes} bytes of shared memory`, { cause })
  }
}

/** The first `length` bytes on memory of their own. (`slice` won't do: on a Buffer it shares.) */
export function copyBytes(bytes: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length)
  copy.set(bytes.subarray(0, length))
  return copy
}

/** A short name for any value, for error messages; never throws. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object') return String(value)
  return Object.prototype.toString.call(value)
}
