import { SharedBufferError } from './errors.js'
import { describe } from './shared-memory.js'

/**
 * How a message becomes bytes and comes back. Give the same one on both sides, as `{ codec }`.
 * What `encode` throws reaches the writing caller as it is, and nothing is written; what `decode` throws is
 * the `cause` of a `BAD_PAYLOAD` error.
 */
export interface Codec<T = unknown> {
  /** The message's bytes. They are copied into the shared memory before the writing call returns. */
  encode(value: T): Uint8Array
  /** The message. `bytes` are a private copy, which may be kept. */
  decode(bytes: Uint8Array): T
}

/** Chooses the codec of one call; JSON when left out. */
export interface CodecOptions<T = unknown> {
  codec?: Codec<T> | Codec<unknown> | undefined
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * JSON as UTF-8, the default. Inside the payload the rules of `JSON.stringify` hold: a member that is
 * `undefined` or a function is left out, a Map is `{}`. A payload that JSON can't hold at all (`undefined`, a
 * function, a symbol, a BigInt, NaN, a cycle) is a `TypeError`.
 */
export const jsonCodec: Codec<unknown> = {
  encode(value) {
    return encoder.encode(jsonOf(value))
  },
  decode(bytes) {
    return JSON.parse(decoder.decode(bytes))
  },
}

function jsonOf(value: unknown): string {
  let text: string | undefined
  try {
    // JSON.stringify would turn NaN and Infinity into null.
    if (typeof value !== 'number' || Number.isFinite(value)) text = JSON.stringify(value)
  } catch (cause) {
    // Too long for a string, or nested too deep: a size, not a kind of value.
    if (cause instanceof RangeError)
      throw new RangeError(`Cannot encode the payload: ${cause.message}`, { cause })
    throw new TypeError(`payload must be a value that JSON can hold: ${messageOf(cause)}`, { cause })
  }
  if (text === undefined)
    throw new TypeError(`payload must be a value that JSON can hold, got ${describe(value)}`)
  return text
}

/** Raw bytes. The reader gets a `Uint8Array` of its own, on memory that no other thread sees. */
export const bytesCodec: Codec<Uint8Array> = {
  encode(value) {
    if (!isBytes(value)) throw new TypeError(`payload must be a Uint8Array, got ${describe(value)}`)
    return value
  },
  decode(bytes) {
    return bytes
  },
}

/** No character takes more UTF-8 bytes for each of its UTF-16 units. */
const MAX_BYTES_PER_UNIT = 3
const REUSED_BYTES = 65_536
let reused: Uint8Array | undefined

/** JSON in bytes that the next call overwrites: to allocate them anew costs more than to write them. */
function encodeJson(value: unknown): Uint8Array {
  const text = jsonOf(value)
  if (text.length * MAX_BYTES_PER_UNIT > REUSED_BYTES) return encoder.encode(text)
  reused ??= new Uint8Array(REUSED_BYTES)
  return reused.subarray(0, encoder.encodeInto(text, reused).written)
}

/** Encodes, and checks what came out: a user's codec may return anything. Copy it before the next call. */
export function encodePayload(codec: Codec, payload: unknown, room: number): Uint8Array {
  const bytes = codec === jsonCodec ? encodeJson(payload) : codec.encode(payload)
  if (!isBytes(bytes)) throw new TypeError(`codec.encode must return a Uint8Array, got ${describe(bytes)}`)
  if (bytes.byteLength > room) {
    throw new RangeError(`Cannot write ${bytes.byteLength} bytes: the mailbox holds ${room}`)
  }
  return bytes
}

/** Decodes a private copy of the message. */
export function decodePayload<T>(codec: Codec<T> | Codec<unknown>, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes) as T
  } catch (cause) {
    throw new SharedBufferError(
      'BAD_PAYLOAD',
      `Cannot decode a message of ${bytes.byteLength} bytes: ${messageOf(cause)}`,
      { cause },
    )
  }
}

/** The codec to use, after a look at what the caller gave. */
export function requireCodec<T>(options: CodecOptions<T>): Codec<T> | Codec<unknown> {
  const codec = options.codec ?? jsonCodec
  if (typeof codec.encode !== 'function' || typeof codec.decode !== 'function') {
    throw new TypeError(`codec must have encode and decode, got ${describe(codec)}`)
  }
  return codec
}

/** By tag, because the bytes may come from another realm. */
function isBytes(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Uint8Array]'
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : describe(thrown)
}
