import { setTimeout as delay } from 'node:timers/promises'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { startProxy, type TcpProxy } from '@scratchyjs/tooling/tcp-proxy'
import { Redis } from 'ioredis'
import type { Address } from './cache-node.js'
import type { Site } from './fault-class.js'

/** Others' connections may take a port between the moment it was found free and the server's start. */
async function startServer(options: { port?: number; args: string[] }): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startRedis(options)
    } catch (error) {
      if (attempt === 20 || !/Address already in use/.test(String(error))) throw error
      await delay(20)
    }
  }
}

function adminOf(port: number): Redis {
  const admin = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 10, maxRetriesPerRequest: null })
  admin.on('error', () => {})
  return admin
}

/** One redis-server. */
export class SingleServer implements Site {
  readonly address: { port: number }
  /** A connection of the test's own, past all proxies. */
  readonly admin: Redis
  #server: RedisServer
  readonly #args: string[]

  private constructor(server: RedisServer, args: string[]) {
    this.#server = server
    this.#args = args
    this.address = { port: server.port }
    this.admin = adminOf(server.port)
  }

  static async start(...args: string[]): Promise<SingleServer> {
    return new SingleServer(await startServer({ args }), args)
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#server.signal(name)
  }

  /** Kills it, and starts an empty one on the same port. */
  async restart(downMs: number): Promise<void> {
    await this.#server.stop()
    await delay(downMs)
    this.#server = await startServer({ port: this.address.port, args: this.#args })
  }

  async stop(): Promise<void> {
    this.admin.disconnect()
    this.#server.signal('SIGCONT')
    await this.#server.stop()
  }
}

interface Member {
  server: RedisServer
  admin: Redis
  /** The way by which the other one follows it. */
  replication: TcpProxy
}

/** A master and a replica, whose connection can be cut, and which can change their roles. */
export class ReplicatedPair implements Site {
  readonly address: Address
  #members: [master: Member, replica: Member]

  private constructor(members: [Member, Member]) {
    this.#members = members
    this.address = { port: members[0].server.port }
  }

  static async start(): Promise<ReplicatedPair> {
    const members: Member[] = []
    while (members.length < 2) {
      const server = await startServer({
        args: ['--repl-diskless-sync-delay', '0', '--hz', '100', '--repl-timeout', '5'],
      })
      members.push({ server, admin: adminOf(server.port), replication: await startProxy(server.port) })
    }
    return new ReplicatedPair(members as [Member, Member])
  }

  get master(): Member {
    return this.#members[0]
  }

  get replica(): Member {
    return this.#members[1]
  }

  /** The replica hears no more of what the master does. */
  cutReplication(): void {
    this.master.replication.refuse(true)
    this.master.replication.cut()
  }

  /** The replica becomes the master, with what it has. */
  async promote(): Promise<void> {
    await this.replica.admin.replicaof('NO', 'ONE')
    this.#members.reverse()
  }

  /** The one that is not the master begins anew as its replica. */
  async follow(): Promise<void> {
    const { master, replica } = this
    master.replication.refuse(false)
    // As a replica it forgets what the other one doesn't have.
    await replica.admin.replicaof('127.0.0.1', master.replication.port)
    while (!(await replica.admin.info('replication')).includes('master_link_status:up')) await delay(5)
  }

  async stop(): Promise<void> {
    for (const { server, admin, replication } of this.#members) {
      admin.disconnect()
      await replication.close()
      await server.stop()
    }
  }
}
