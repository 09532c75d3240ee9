import { setTimeout as delay } from 'node:timers/promises'
import type { RedisServer } from '@scratchyjs/tooling/redis'
import {
  askRedis,
  type RedisSentinel,
  startCluster,
  startSentinel,
} from '@scratchyjs/tooling/redis-topologies'
import type { Address } from './cache-node.js'
import type { FaultClass, Site } from './fault-class.js'

interface ClusterSite extends Site {
  servers: RedisServer[]
}
interface SentinelSite extends Site {
  group: RedisSentinel
}

async function startClusterSite(): Promise<ClusterSite> {
  const { nodes, addresses, stop } = await startCluster()
  return { address: { cluster: addresses } as Address, servers: nodes, stop }
}

// A cluster's client that begins anew asks three servers for the slots before it is ready.
const clusterHeartbeat = { intervalMs: 50, timeoutMs: 500 }

const clusterKilled: FaultClass<ClusterSite> = {
  name: 'cluster: connection killed',
  what: 'CLIENT KILL of subscribers or others on some of three masters, in a burst of publishes',
  hasSeveralAddresses: true,
  heartbeat: clusterHeartbeat,
  start: startClusterSite,
  async inject(world, random) {
    const kills = random.some(world.site.servers).map(async ({ port }) => {
      const type = random.pick(['pubsub', 'normal'])
      await delay(random.int(0, 40))
      await askRedis(port, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
    })
    await Promise.all([world.traffic(random, { writes: 20, overMs: 40 }), ...kills])
    return 'forbidden'
  },
}

const clusterStopped: FaultClass<ClusterSite> = {
  name: 'cluster: server stopped',
  what: 'one of three masters gets SIGSTOP, and SIGCONT up to 300 ms later',
  hasSeveralAddresses: true,
  heartbeat: clusterHeartbeat,
  start: startClusterSite,
  async inject(world, random) {
    const server = random.pick(world.site.servers)
    const traffic = world.traffic(random, { writes: 20, overMs: random.int(20, 100) })
    await delay(random.int(0, 20))
    server.signal('SIGSTOP')
    await delay(random.pick([random.int(5, 60), random.int(60, 300)]))
    server.signal('SIGCONT')
    await traffic
    return 'forbidden'
  },
}

const sentinelFailedOver: FaultClass<SentinelSite> = {
  name: 'sentinel: failover',
  what: 'a sentinel makes the replica the master, and the master a replica, in a burst of publishes',
  hasSeveralAddresses: true,
  share: 0.05,
  async start() {
    const group = await startSentinel({ args: ['--repl-diskless-sync-delay', '0'] })
    const { sentinels, name, stop } = group
    return { address: { sentinels, name } as Address, group, stop }
  },
  async inject(world, random) {
    const traffic = world.traffic(random, { writes: 40, overMs: random.int(20, 1500) })
    await delay(random.int(0, 20))
    await world.site.group.failover({ kill: false })
    await traffic
    return 'required'
  },
}

/** Three masters without replicas. */
export const clusterFaults: FaultClass<ClusterSite>[] = [clusterKilled, clusterStopped]
/** A master and a replica, watched by a sentinel. */
export const sentinelFaults: FaultClass<SentinelSite>[] = [sentinelFailedOver]
