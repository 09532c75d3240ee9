import { setTimeout as delay } from 'node:timers/promises'
import { startProxy, type TcpProxy } from '@scratchyjs/tooling/tcp-proxy'
import type { CacheNode, Load, NodeOptions, NodeState, System } from './cache-node.js'
import { connect } from './clients.js'
import { Database } from './database.js'
import type { FaultClass, Site } from './fault-class.js'
import { openInProcess, type ProcessNode } from './process-node.js'
import type { Random } from './random.js'

const keys = Array.from({ length: 24 }, (_, i) => `key${i}`)

/** A node and its way to Redis. */
export class WorldNode {
  readonly link: TcpProxy
  readonly #open: () => Promise<CacheNode>
  #cache: CacheNode | undefined
  flushesBefore = 0

  constructor(link: TcpProxy, open: () => Promise<CacheNode>) {
    this.link = link
    this.#open = open
  }

  get cache(): CacheNode {
    if (!this.#cache) throw new Error('this node is not open')
    return this.#cache
  }

  async open(): Promise<void> {
    this.#cache = await this.#open()
    this.flushesBefore = 0
  }

  /** Only where nodes are processes. */
  async kill(): Promise<void> {
    await (this.cache as ProcessNode).kill()
  }

  /** Undefined for a system that can't tell, or a node that is gone. */
  async look(): Promise<NodeState | undefined> {
    return this.cache.look?.()
  }

  async close(): Promise<void> {
    if (this.#cache) await within(2000, this.#cache.close())
    await this.link.close()
  }
}

/** What it resolves to; undefined when it takes longer, or fails. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController()
  const late = delay(ms, undefined, { signal: timer.signal })
  try {
    return await Promise.race([promise, late])
  } catch {
    return undefined
  } finally {
    timer.abort()
    late.catch(() => {})
  }
}

/** Traffic: how much, spread over how many milliseconds. */
export interface Traffic {
  writes: number
  overMs: number
  /** Default: twice as many as writes. */
  reads?: number
  /** Who reads; default all. */
  readers?: readonly WorldNode[]
}

/** What was found some time after a fault. */
export interface Outcome {
  /** Stale entries: which node holds which key, and how old. */
  lost: string[]
  /** Nodes that didn't say that they are in step again, or say nothing at all. */
  outOfStep: number
  /** By node, the reasons since the fault began; undefined when it can't tell. */
  flushes: (string[] | undefined)[]
  /** Messages that arrived more than once. */
  duplicates: number
  /** Publishes that were not acknowledged. */
  rejected: number
  writes: number
  /** From the end of the fault until all were in step and nothing was stale, in milliseconds. */
  recoveryMs: number
}

/** Servers, nodes, and the database that their caches are of. */
export class World<S extends Site = Site> {
  readonly site: S
  /** The first one writes. */
  readonly nodes: WorldNode[] = []
  readonly database: Database = new Database()
  #writes: Promise<void>[] = []
  #loads: Promise<unknown>[] = []
  #rejected = 0
  #marks = 0
  /** How often each write was heard of on the channel. */
  readonly #heard = new Map<string, number>()
  #stopListening: (() => void) | undefined

  private constructor(site: S) {
    this.site = site
  }

  /** @param entry the script of nodes in processes */
  static async start<S extends Site>(system: System, kind: FaultClass<S>, entry: string): Promise<World<S>> {
    const world = new World(await kind.start())
    const { address } = world.site
    for (let index = 0; index <= (kind.readers ?? 2); index += 1) {
      const link = await startProxy('port' in address ? address.port : 0)
      const options: NodeOptions = {
        address: 'port' in address ? { port: link.port } : address,
        protocol: index === 2 ? 2 : 3,
        usesHandlers: index === 2,
        heartbeat: kind.heartbeat ?? { intervalMs: 50, timeoutMs: 150 },
        maxLength: kind.maxLength ?? 10_000,
        maxQueuedKeys: kind.maxQueuedKeys ?? 10_000,
        ...(kind.commandTimeout === undefined ? {} : { commandTimeout: kind.commandTimeout }),
      }
      const node = new WorldNode(link, () =>
        kind.hasProcesses && index > 0 ? openInProcess(entry, system, options) : system.open(options),
      )
      world.nodes.push(node)
      await node.open()
      while ((await node.look())?.inStep === false) await delay(2)
    }
    if (kind.forbidsDuplicates && system.channel) await world.#listen(system.channel)
    return world
  }

  get writer(): WorldNode {
    return this.nodes[0] as WorldNode
  }

  get readers(): WorldNode[] {
    return this.nodes.slice(1)
  }

  async #listen(channel: string): Promise<void> {
    const listener = connect(this.site.address)
    listener.on('message', (_, message: string) => {
      for (const key of JSON.parse(message).keys as string[])
        if (key.startsWith('write:')) this.#heard.set(key, (this.#heard.get(key) ?? 0) + 1)
    })
    this.#stopListening = () => listener.disconnect()
    await listener.subscribe(channel)
  }

  /** Every node holds every key, in its newest version. */
  async fill(): Promise<void> {
    this.#rejected = 0
    this.#writes = []
    this.#loads = []
    this.#heard.clear()
    for (const node of this.nodes) {
      await Promise.all(keys.map(key => node.cache.getOrLoad(key, this.#loadAtOnce)))
      node.flushesBefore = (await node.look())?.flushes.length ?? 0
    }
  }

  readonly #loadAtOnce: Load = async key => this.database.read(key)

  /** Raises a key's version, then tells the nodes. Resolves to whether that was acknowledged. */
  write(key: string, others: readonly string[] = []): Promise<boolean> {
    const version = this.database.write(key)
    this.#marks += 1
    const told = [key, ...others, ...(this.#stopListening ? [`write:${this.#marks}`] : [])]
    const written = this.writer.cache.invalidate(told).then(
      () => {
        this.database.acknowledge(key, version)
        return true
      },
      () => {
        this.#rejected += 1
        return false
      },
    )
    this.#writes.push(written.then(() => {}))
    return written
  }

  get keys(): readonly string[] {
    return keys
  }

  /** Writes and reads of random keys at random moments. Loads take up to 30 ms, so that they race invalidations. */
  async traffic(random: Random, { writes, overMs, reads, readers = this.nodes }: Traffic): Promise<void> {
    const moments: Promise<unknown>[] = []
    // Some are written again and again: only what is no longer cached is loaded while it is invalidated.
    const hot = Array.from({ length: 4 }, () => random.pick(keys))
    const pick = () => (random.chance(0.6) ? random.pick(hot) : random.pick(keys))
    for (let i = 0; i < writes; i += 1) {
      const key = pick()
      moments.push(delay(random.int(0, overMs)).then(() => void this.write(key)))
    }
    for (let i = 0; i < (reads ?? 2 * writes); i += 1) {
      const [node, key, at] = [random.pick(readers), pick(), random.int(0, overMs)]
      const load = this.#slowLoad(random)
      // What is written after a load has read it must not be stored by that load.
      const overtaken = writes > 0 && random.chance(0.1) ? random.int(5, 30) : undefined
      moments.push(
        delay(at).then(async () => {
          if (overtaken !== undefined) {
            void this.write(key)
            await delay(5)
          }
          this.#read(node, key, load)
          if (overtaken === undefined) return
          await delay(overtaken)
          void this.write(key)
        }),
      )
    }
    await Promise.all(moments)
  }

  #slowLoad(random: Random): Load {
    const [before, after] = [random.int(0, 10), random.int(0, 20)]
    return async key => {
      await delay(before)
      const version = this.database.read(key)
      await delay(after)
      return version
    }
  }

  #read({ cache }: WorldNode, key: string, load: Load): void {
    // A process that was killed answers no more.
    this.#loads.push(cache.getOrLoad(key, load).catch(() => {}))
  }

  /**
   * Waits until what is under way has ended, nothing is stale, and the nodes that have to flush have done
   * so, at most `withinMs`.
   */
  async settle(withinMs: number, mustFlush: readonly boolean[]): Promise<Outcome> {
    const ended = performance.now()
    // Ours end within 10 s by themselves; others' may never.
    await within(12_000, Promise.all([...this.#writes, ...this.#loads]))
    const deadline = performance.now() + withinMs
    const states = await this.#states(deadline, mustFlush)
    const recoveryMs = performance.now() - ended
    const lost = new Set(states.flatMap((state, index) => this.#stale(index, state?.entries ?? [])))
    let mute = 0
    for (const [index, { cache }] of this.nodes.entries()) {
      const asked = keys.map(
        async (key): Promise<[string, number]> => [key, await cache.getOrLoad(key, this.#loadAtOnce)],
      )
      const served = await within(1000, Promise.all(asked))
      if (!served) mute += 1
      for (const stale of this.#stale(index, served ?? [])) lost.add(stale)
    }
    return {
      lost: [...lost],
      outOfStep: mute + states.filter(state => state && !state.inStep).length,
      flushes: this.nodes.map(({ flushesBefore }, index) => states[index]?.flushes.slice(flushesBefore)),
      duplicates: [...this.#heard.values()].filter(times => times > 1).length,
      rejected: this.#rejected,
      writes: this.#writes.length,
      recoveryMs,
    }
  }

  async #states(deadline: number, mustFlush: readonly boolean[]): Promise<(NodeState | undefined)[]> {
    for (;;) {
      const states = await Promise.all(this.nodes.map(node => node.look()))
      // Nobody knows when a system that can't tell has come to rest: it gets all the time.
      const isSettled = states.every(
        (state, index) =>
          state?.inStep &&
          this.#stale(index, state.entries).length === 0 &&
          (!mustFlush[index] || state.flushes.length > (this.nodes[index]?.flushesBefore ?? 0)),
      )
      if (isSettled || performance.now() > deadline) return states
      await delay(3)
    }
  }

  #stale(index: number, entries: [string, number][]): string[] {
    return entries
      .filter(([key, version]) => version < this.database.acknowledged(key))
      .map(
        ([key, version]) =>
          `node ${index} holds ${key} at ${version}, acknowledged is ${this.database.acknowledged(key)}`,
      )
  }

  async stop(): Promise<void> {
    this.#stopListening?.()
    await Promise.all(this.nodes.map(node => node.close()))
    await this.site.stop()
  }
}
