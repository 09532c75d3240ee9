import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Address } from './cache-node.js'

/**
 * A client of ioredis with short waits, so that a thousand faults take minutes. It gives up no command: one
 * that did would only be unacknowledged, and prove nothing.
 */
export function connect(address: Address, options: Partial<RedisOptions> = {}): Redis | Cluster {
  const common = {
    retryStrategy: () => 10,
    disconnectTimeout: 50,
    maxRetriesPerRequest: null,
    ...options,
  } as RedisOptions
  const client =
    'cluster' in address
      ? new Cluster(address.cluster, {
          clusterRetryStrategy: () => 50,
          slotsRefreshInterval: 500,
          redisOptions: common,
        })
      : new Redis({
          ...common,
          ...('port' in address
            ? { host: '127.0.0.1', port: address.port }
            : { ...address, sentinelRetryStrategy: () => 50 }),
        } as RedisOptions)
  client.on('error', () => {})
  return client
}
