import type { Cluster, Redis } from 'ioredis'

/** The longest time to live: a year, in seconds. */
const maxTtl = 365 * 24 * 60 * 60

export function checkRedis(redis: Redis | Cluster): void {
  if (typeof redis?.set !== 'function') throw new TypeError(`redis must be an ioredis client, not ${redis}`)
}

export function checkTtl(ttl: number): number {
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > maxTtl)
    throw new RangeError(`ttl must be a whole number of seconds from 1 to ${maxTtl}, not ${ttl}`)
  return ttl
}

export function checkPositive(name: string, value: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 1 || value > max)
    throw new RangeError(
      `${name} must be a positive integer${max < Number.MAX_SAFE_INTEGER ? ` up to ${max}` : ''}, not ${value}`,
    )
  return value
}

/** How an error names a value that has the wrong type, without calling any of its methods. */
export function named(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value) ? 'a list' : `an ${Object.prototype.toString.call(value).slice(8, -1)}`
  }
  return typeof value === 'function' ? 'a function' : String(value)
}
