import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, type RedisServer, startRedis } from './redis.js'
import { askRedis, eventually } from './redis-command.js'

/** A master and its replica, watched by one sentinel. */
export interface RedisSentinel {
  /** The master's name, for ioredis `{ name, sentinels }`. */
  name: string
  sentinels: { host: string; port: number }[]
  /** The server that is master now. */
  readonly master: RedisServer
  /** The other one: a replica, or dead after a fail-over that killed it. */
  readonly replica: RedisServer
  /**
   * Makes the replica the master, and resolves when it is one and the sentinel says so. The master is killed (SIGKILL)
   * and the sentinel finds that out by itself, which takes 1 to 3 s; with `kill: false` it is told to become a replica.
   * A killed one does not come back, so only a first fail-over may kill.
   */
  failover(options?: { kill?: boolean }): Promise<void>
  /** Ends all three. */
  stop(): Promise<void>
}

const NAME = 'scratchy-main'
const DOWN_AFTER_MS = 500

/**
 * Starts a master, a replica in step with it, and a sentinel with quorum 1, on the loopback interface.
 *
 * @param options.args further arguments for the master and the replica
 */
export async function startSentinel({ args = [] }: { args?: string[] } = {}): Promise<RedisSentinel> {
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    await Promise.all(stops.map(stopOne => stopOne()))
  }
  try {
    let master = await startRedis({ args })
    stops.push(() => master.stop())
    let replica = await startRedis({ args: [...args, '--replicaof', '127.0.0.1', `${master.port}`] })
    stops.push(() => replica.stop())
    await eventually('a replica in step', () => follows(replica, master), 20_000)
    const sentinel = await spawnSentinel(master.port)
    stops.push(sentinel.stop)
    const { port } = sentinel
    const knowsReplica = async () =>
      (await askRedis(port, 'SENTINEL', 'replicas', NAME)).includes(`127.0.0.1:${replica.port}`)
    await eventually('a sentinel that knows the replica', knowsReplica, 30_000)
    return {
      name: NAME,
      sentinels: [{ host: '127.0.0.1', port }],
      get master() {
        return master
      },
      get replica() {
        return replica
      },
      async failover({ kill = true } = {}) {
        if (kill) master.signal('SIGKILL')
        else await eventually('a fail-over that begins', () => beginFailover(port), 20_000)
        const isPromoted = async () =>
          (await askRedis(port, 'SENTINEL', 'get-master-addr-by-name', NAME)).includes(
            `\r\n${replica.port}`,
          ) && (await askRedis(replica.port, 'ROLE')).includes('\r\nmaster')
        await eventually('another master', isPromoted, 20_000)
        const former = master
        master = replica
        replica = former
        if (!kill) await eventually('the former master a replica', () => follows(replica, master), 20_000)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function follows(replica: RedisServer, master: RedisServer): Promise<boolean> {
  const info = await askRedis(replica.port, 'INFO', 'replication')
  return info.includes('master_link_status:up') && info.includes(`master_port:${master.port}\r\n`)
}

async function beginFailover(port: number): Promise<boolean> {
  // Refused while the last one is not over (INPROG), or the replica's state is not known yet (NOGOODSLAVE).
  await askRedis(port, 'SENTINEL', 'failover', NAME)
  return true
}

async function spawnSentinel(masterPort: number): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'scratchy-sentinel-'))
  // A sentinel takes its settings from a file only, which it rewrites.
  const file = join(dir, 'sentinel.conf')
  await writeFile(
    file,
    `port ${port}
bind 127.0.0.1
dir ${dir}
sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 1
sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}
sentinel failover-timeout ${NAME} 3000
`,
  )
  const child = spawn(process.env.REDIS_SERVER || 'redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  const killWithParent = () => child.kill('SIGKILL')
  process.once('exit', killWithParent)
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  child.once('error', () => {})
  const stop = async () => {
    process.removeListener('exit', killWithParent)
    child.kill('SIGKILL')
    await closed
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await eventually(
      'a sentinel that answers',
      async () => (await askRedis(port, 'PING')).includes('PONG'),
      10_000,
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { port, stop }
}
