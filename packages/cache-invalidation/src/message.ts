import { CacheInvalidationError } from './error.js'
import type { Cursor } from './log.js'

/** The longest key, in bytes of UTF-8: 8 KiB. */
export const MAX_KEY_BYTES: number = 8 * 1024
/** The largest message, in bytes: 1 MiB. */
export const MAX_MESSAGE_BYTES: number = 1024 * 1024

/** What surrounds the keys of a logged message, at most: names, epoch, number and id. */
const frameBytes = 256

/** What is stale, and, when this package published it, its place in the log. */
export interface Message {
  /** Empty when everything is. */
  keys: string[]
  /** Everything cached is stale. */
  flush?: true
  entry?: Cursor
}

/** The members of a message that says: everything is stale. A reader that doesn't know of it finds no key in it. */
export const FLUSH_MEMBERS = '"keys":[],"flush":true'

/** The members of a message of these keys, each as JSON. */
export function keyMembers(keys: readonly string[]): string {
  return `"keys":[${keys.length === 1 ? keys[0] : keys.join()}]`
}

/** Keys as they are sent. */
export interface EncodedKeys {
  /** Each key as JSON. */
  json: string[]
  /** What they take of a message, with their commas. */
  bytes: number
}

/** What JSON writes as it is, a byte for each character. */
const plain = /^[ !#-[\]-~]+$/

/**
 * Each key as JSON, checked before anything is sent.
 *
 * @throws TypeError for no keys, or a key that is no non-empty string; RangeError for too large ones
 */
export function encodeKeys(keys: readonly string[]): EncodedKeys {
  if (!Array.isArray(keys)) throw new TypeError(`keys must be an array of strings, not ${typeof keys}`)
  if (keys.length === 0) throw new TypeError('keys must hold at least one key')
  const json: string[] = []
  let bytes = 0
  for (let index = 0; index < keys.length; index += 1) {
    const key: unknown = keys[index]
    if (typeof key !== 'string' || key === '')
      throw new TypeError(`keys[${index}] must be a non-empty string, not ${shown(key)}`)
    if (isTooLong(key)) {
      const size = Buffer.byteLength(key)
      throw new RangeError(`keys[${index}] has ${size} bytes: the longest key has ${MAX_KEY_BYTES}`)
    }
    const isPlain = plain.test(key)
    const encoded = isPlain ? `"${key}"` : JSON.stringify(key)
    bytes += (isPlain ? encoded.length : Buffer.byteLength(encoded)) + 1
    if (bytes + frameBytes > MAX_MESSAGE_BYTES)
      throw new RangeError(`keys (${keys.length}) make a message of more than ${MAX_MESSAGE_BYTES} bytes`)
    json.push(encoded)
  }
  return { json, bytes }
}

function isTooLong(key: string): boolean {
  // A unit of UTF-16 has 3 bytes at most.
  return key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES
}

/** How much of a message a key as JSON takes, with its comma. */
export function encodedBytes(json: string): number {
  return Buffer.byteLength(json) + 1
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : value === null ? 'null' : typeof value
}

/**
 * Reads a message of anyone: `{"keys":["a"]}` is enough, or `{"keys":[],"flush":true}` for everything.
 *
 * @throws CacheInvalidationError `MALFORMED_MESSAGE`
 */
export function decodeMessage(bytes: Uint8Array | string): Message {
  const size = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.byteLength
  if (size > MAX_MESSAGE_BYTES) throw malformed(`it has ${size} bytes, at most ${MAX_MESSAGE_BYTES} are read`)
  let parsed: unknown
  try {
    parsed = JSON.parse(typeof bytes === 'string' ? bytes : textOf(bytes))
  } catch (cause) {
    throw malformed('it is no JSON', cause)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw malformed('it is no object')
  for (const name of ['__proto__', 'constructor', 'prototype'])
    if (Object.hasOwn(parsed, name)) throw malformed(`it has a member named ${name}`)
  const { keys, flush, epoch, sequence, id } = parsed as Record<string, unknown>
  const isFlush = flush === true
  if (!Array.isArray(keys) || (keys.length === 0 && !isFlush))
    throw malformed('"keys" is no array with something in it')
  if (!keys.every(isKey)) throw malformed(`"keys" holds what is no string of 1 to ${MAX_KEY_BYTES} bytes`)
  const stale: Message = isFlush ? { keys: [], flush: true } : { keys }
  if (epoch === undefined && sequence === undefined) return stale
  if (typeof epoch !== 'string' || epoch === '' || typeof id !== 'string')
    throw malformed('"epoch" or "id" is no string')
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 1) throw malformed('"sequence" is no number')
  stale.entry = { epoch, sequence: sequence as number, id }
  return stale
}

function isKey(key: unknown): key is string {
  return typeof key === 'string' && key !== '' && !isTooLong(key)
}

function textOf(bytes: Uint8Array): string {
  if (Buffer.isBuffer(bytes)) return bytes.toString()
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

function malformed(why: string, cause?: unknown): CacheInvalidationError {
  return new CacheInvalidationError('MALFORMED_MESSAGE', `Ignored a message: ${why}`, { cause })
}
