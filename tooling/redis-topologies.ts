export { type RedisCluster, startCluster } from './redis-cluster.js'
export { askRedis } from './redis-command.js'
export { type RedisSentinel, startSentinel } from './redis-sentinel.js'
export { startTlsRedis, type TlsRedisServer } from './redis-tls.js'
