import { Cluster, Redis } from 'ioredis'
import type { Address } from './cache-node.js'

interface ClientOptions {
  protocol?: 2 | 3
  commandTimeout?: number
}

/**
 * A client of ioredis with short waits, so that a thousand faults take minutes. It gives up no command: one
 * that did would only be unacknowledged, and prove nothing.
 */
export function connect(address: Address, options: ClientOptions = {}): Redis | Cluster {
  const waits = {
    retryStrategy: () => 10,
    disconnectTimeout: 50,
    maxRetriesPerRequest: null,
    ...options,
  }
  // ioredis' types know the options of a protocol only where it is written out.
  const client =
    'cluster' in address
      ? new Cluster(address.cluster, {
          clusterRetryStrategy: () => 50,
          // The servers keep their slots. ioredis' timer can outlive the client's end, and keep the process alive.
          slotsRefreshInterval: 0,
          redisOptions: waits as object,
        })
      : new Redis({
          ...waits,
          ...('port' in address
            ? { host: '127.0.0.1', port: address.port }
            : { ...address, sentinelRetryStrategy: () => 50 }),
        } as object)
  client.on('error', () => {})
  return client
}
