import { freePort, type RedisServer, startRedis } from './redis.js'
import { askRedis, eventually } from './redis-command.js'

/** A cluster of redis-server processes of a test's own. */
export interface RedisCluster {
  /** The masters, each with a third of the slots: 0–5460, 5461–10922, 10923–16383. */
  nodes: RedisServer[]
  /** The first nodes for `new Cluster(…)` of ioredis. */
  addresses: { host: string; port: number }[]
  /** Ends all nodes. */
  stop(): Promise<void>
}

const SLOTS = 16_384
const MASTERS = 3

/**
 * Starts three masters on the loopback interface that know each other and serve all slots. There are no replicas: when
 * one node ends, its slots have no server, and the others refuse theirs after 1 s (CLUSTERDOWN).
 *
 * @param options.args further arguments for each of them, such as `--user` or
 * `--cluster-require-full-coverage no`, after which the others go on
 */
export async function startCluster({ args = [] }: { args?: string[] } = {}): Promise<RedisCluster> {
  const nodes: RedisServer[] = []
  const busPorts: number[] = []
  const stop = async () => {
    await Promise.all(nodes.map(node => node.stop()))
  }
  try {
    for (let index = 0; index < MASTERS; index += 1) {
      // Without it the bus listens 10000 above the port, where there may be no port or another server.
      const busPort = await freePort()
      busPorts.push(busPort)
      nodes.push(
        await startRedis({
          args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000']
            .concat('--cluster-port', `${busPort}`)
            .concat(args),
        }),
      )
    }
    await Promise.all(
      nodes.map(({ port }, index) =>
        askRedis(port, 'CLUSTER', 'ADDSLOTSRANGE', `${firstSlot(index)}`, `${firstSlot(index + 1) - 1}`),
      ),
    )
    const [first, ...others] = nodes as [RedisServer, ...RedisServer[]]
    for (const [index, { port }] of others.entries())
      await askRedis(first.port, 'CLUSTER', 'MEET', '127.0.0.1', `${port}`, `${busPorts[index + 1]}`)
    for (const { port } of nodes) await eventually('a cluster', () => isComplete(port), 20_000)
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, addresses: nodes.map(({ port }) => ({ host: '127.0.0.1', port })), stop }
}

function firstSlot(index: number): number {
  return Math.ceil((SLOTS * index) / MASTERS - 0.5)
}

async function isComplete(port: number): Promise<boolean> {
  const info = await askRedis(port, 'CLUSTER', 'INFO')
  return /cluster_state:ok/.test(info) && info.includes(`cluster_size:${MASTERS}`)
}
