import { MAX_KEY_BYTES } from './message.js'
import { checkPositive } from './options.js'

/** How much a cache holds, and for how long. */
export interface CoherentCacheOptions<V> {
  /** Values, 1 to 2^24; the one that was not used for longest makes room. */
  max: number
  /** Seconds from the beginning of its load that a value is served for, 1 to a year; default without end. */
  ttl?: number
  /**
   * Milliseconds, 0 to Infinity, default 0. While the subscription is out of step a value is served, and a load
   * joined, only within this time of the last look that showed agreement, or of the load's beginning if that was
   * later. 0: everything is loaded anew until it is in step again. Infinity: stale values rather than none.
   *
   * A connection that says nothing any more is noticed after up to 3 s, with the heartbeat's defaults: until then
   * the cache counts as in step.
   */
  maxStaleMs?: number
  /** Sum of the sizes, from 1 on; a value larger than this is handed over and not stored. Needs `sizeOf`. */
  maxBytes?: number
  /** The size of a value, in bytes. */
  sizeOf?: (value: V, key: string) => number
}

const maxTtl = 365 * 24 * 60 * 60
/** More entries a Map of V8 does not take. */
const maxEntries = 2 ** 24

type Checked<V> = Required<Pick<CoherentCacheOptions<V>, 'max' | 'ttl' | 'maxStaleMs'>> &
  Pick<CoherentCacheOptions<V>, 'maxBytes' | 'sizeOf'>

/** The options with their defaults; throws for a bad one. */
export function checkCacheOptions<V>(options: CoherentCacheOptions<V>): Checked<V> {
  const { max, ttl, maxStaleMs = 0, maxBytes, sizeOf } = options
  checkPositive('max', max, maxEntries)
  if (ttl !== undefined) checkPositive('ttl', ttl, maxTtl)
  if (typeof maxStaleMs !== 'number' || !(maxStaleMs >= 0))
    throw new RangeError(`maxStaleMs must be a number from 0 on, not ${maxStaleMs}`)
  if (maxBytes !== undefined) checkPositive('maxBytes', maxBytes, Number.MAX_SAFE_INTEGER)
  if (sizeOf !== undefined && typeof sizeOf !== 'function')
    throw new TypeError(`sizeOf must be a function, not ${sizeOf}`)
  if ((maxBytes === undefined) !== (sizeOf === undefined))
    throw new TypeError('maxBytes and sizeOf must be given together, or neither')
  return {
    max,
    ttl: ttl ?? Number.POSITIVE_INFINITY,
    maxStaleMs,
    ...(maxBytes !== undefined && sizeOf && { maxBytes, sizeOf }),
  }
}

/** A key or tag; throws for what could not be published. */
export function checkKey(name: string, key: unknown): void {
  if (isShortKey(key)) return
  if (typeof key !== 'string' || key === '')
    throw new TypeError(`${name} must be a non-empty string, not ${key === '' ? '""' : typeof key}`)
  const bytes = Buffer.byteLength(key)
  if (bytes > MAX_KEY_BYTES)
    throw new RangeError(`${name} has ${bytes} bytes: the longest that can be published has ${MAX_KEY_BYTES}`)
}

/** One whose bytes need not be counted: a character takes three at most. */
function isShortKey(key: unknown): boolean {
  return typeof key === 'string' && key !== '' && key.length * 3 <= MAX_KEY_BYTES
}

/** A list of keys or tags; throws for what could not be published. */
export function checkKeys(name: string, keys: unknown): void {
  if (!Array.isArray(keys)) throw new TypeError(`${name} must be an array of strings, not ${typeof keys}`)
  for (let index = 0; index < keys.length; index += 1) {
    const key: unknown = keys[index]
    if (!isShortKey(key)) checkKey(`${name}[${index}]`, key)
  }
}

/** What `sizeOf` answered, as lru-cache counts: in whole bytes, from 1 on. */
export function checkSize(size: unknown): number {
  if (typeof size !== 'number' || !(size >= 0) || size === Number.POSITIVE_INFINITY)
    throw new RangeError(`sizeOf must answer a number of bytes, not ${size}`)
  return Math.max(1, Math.ceil(size))
}
