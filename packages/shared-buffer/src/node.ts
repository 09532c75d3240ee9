import { deserialize, serialize } from 'node:v8'
import type { Codec } from './codec.js'

/**
 * What structured cloning can hold: Map, Set, Date, RegExp, BigInt, typed arrays, cycles. For threads that trust each
 * other: `node:v8` makes no promises about hostile bytes.
 */
export const structuredCodec: Codec<unknown> = {
  encode(value) {
    try {
      return serialize(value)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new TypeError(`payload must be a value that can be cloned: ${why}`, { cause })
    }
  },
  decode(bytes) {
    return deserialize(bytes)
  },
}
