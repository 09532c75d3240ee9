import { byteAt } from './stream.js'

/** Message number `index` of an endless sequence, of 0 to `longest` bytes that no other message begins with. */
export function numbered(index: number, longest: number): Uint8Array<ArrayBuffer> {
  const length = (Math.imul(index, 0x9e3779b1) >>> 8) % (longest + 1)
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = byteAt(index * 4099 + at)
  return bytes
}

/** Throws unless that is what arrived. */
export function requireNumbered(message: Uint8Array, index: number, longest: number): void {
  const expected = numbered(index, longest)
  if (message.length === expected.length && message.every((byte, at) => byte === expected[at])) return
  throw new Error(
    `message ${index} has ${message.length} bytes, not ${expected.length}, or others: ${message.subarray(0, 20)}`,
  )
}
