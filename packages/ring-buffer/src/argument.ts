/** A value as an error message shows it: numbers as they are, anything else by its kind. */
export function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : Object.prototype.toString.call(value).slice(8, -1)
}

/** Throws `RangeError` unless `value` is a positive integer. */
export function requireCount(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return
  throw new RangeError(`${name} must be a positive integer, got ${describe(value)}`)
}

/**
 * Throws `TypeError` unless `value` is a `Uint8Array` (a `Buffer` is one), of whatever realm and over
 * whatever memory. Other views are refused: their lengths don't count bytes, or their elements convert.
 */
export function requireBytes(name: string, value: Uint8Array): void {
  if (!(value instanceof Uint8Array)) requireForeignBytes(name, value)
}

function requireForeignBytes(name: string, value: Uint8Array): void {
  if (ArrayBuffer.isView(value) && value[Symbol.toStringTag] === 'Uint8Array') return
  throw new TypeError(`${name} must be a Uint8Array, got ${describe(value)}`)
}
