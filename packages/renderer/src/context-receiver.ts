import { createRedisClient, createRedisTransport, RedisTransportError } from '@scratchyjs/redis-transport'
import type { RedisOptions } from 'ioredis'

/** A worker's own connection to the Redis that brings contexts. */
export interface ContextReceiver {
  /** The context's JSON; `undefined` when it is gone, or Redis is out. */
  receive(requestId: string): Promise<string | undefined>
  close(): void
}

/** Begins to connect. A thread starts without Redis, too. */
export function createContextReceiver(connection: RedisOptions | string): ContextReceiver {
  const redis = createRedisClient(connection)
  const transport = createRedisTransport({ redis })
  redis.connect().catch(() => {})
  return {
    async receive(requestId) {
      try {
        return (await transport.receive<{ json: string }>({ requestId })).json
      } catch (error) {
        if (error instanceof RedisTransportError) return undefined
        throw error
      }
    },
    close: () => redis.disconnect(),
  }
}
