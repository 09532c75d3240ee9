import type { Cluster, Redis } from 'ioredis'

/** The channel where none is named; the log of a channel is the key `<channel>:log`. */
export const DEFAULT_CACHE_INVALIDATION_CHANNEL = 'scratchy:cache:invalidate'

/** The channel; throws `TypeError` when it is no non-empty string. */
export function checkChannel(channel: string): string {
  if (typeof channel !== 'string' || channel === '')
    throw new TypeError(`channel must be a non-empty string, not ${JSON.stringify(channel)}`)
  return channel
}

/** The client; throws `TypeError` when it is none. */
export function checkClient<T extends Redis | Cluster>(name: string, client: T): T {
  if (typeof client?.subscribe !== 'function' || typeof client.eval !== 'function')
    throw new TypeError(`${name} must be a Redis or Cluster of ioredis, not ${client}`)
  return client
}

/** An optional option that is a positive integer; throws `RangeError` for anything else. */
export function checkPositive(name: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new RangeError(`${name} must be an integer from 1 to ${max}, not ${value}`)
  return value
}
