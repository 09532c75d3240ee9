import { createRedisClient } from '@scratchyjs/redis-transport'
import type { Redis } from 'ioredis'
import { SettingError } from './environment.js'

/** A client that connects when it is used: the server starts without Redis too. */
export function connectTo(redisUrl: string): Redis {
  try {
    return createRedisClient(redisUrl)
  } catch (error) {
    throw new SettingError(`REDIS_URL can’t be used: ${(error as Error).message}`)
  }
}
