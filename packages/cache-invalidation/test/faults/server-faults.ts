import { setTimeout as delay } from 'node:timers/promises'
import type { FaultClass, FlushVerdict } from './fault-class.js'
import { ReplicatedPair, SingleServer } from './sites.js'

const stopped: FaultClass<SingleServer> = {
  name: 'server stopped',
  what: 'redis-server gets SIGSTOP, and SIGCONT up to 300 ms later',
  start: () => SingleServer.start(),
  async inject(world, random) {
    const traffic = world.traffic(random, { writes: 20, overMs: random.int(20, 150) })
    await delay(random.int(0, 20))
    world.site.signal('SIGSTOP')
    await delay(random.pick([random.int(5, 60), random.int(60, 300)]))
    world.site.signal('SIGCONT')
    await traffic
    return 'forbidden'
  },
}

const restarted: FaultClass<SingleServer> = {
  name: 'restart without persistence',
  what: 'redis-server is killed and started empty: another epoch',
  start: () => SingleServer.start(),
  async inject(world, random) {
    const traffic = world.traffic(random, { writes: 20, overMs: random.int(20, 120) })
    await delay(random.int(0, 40))
    // Some have missed messages before their log is lost.
    for (const { link } of world.nodes.filter(() => random.chance(0.3))) link.cut()
    await world.site.restart(random.int(0, 20))
    await traffic
    return 'required'
  },
}

const failedOver: FaultClass<ReplicatedPair> = {
  name: 'failover that loses the tail',
  what: 'replication is cut before the last writes, then the replica is promoted and uses their numbers again',
  start: () => ReplicatedPair.start(),
  async inject(world, random) {
    const { site } = world
    await site.follow()
    site.cutReplication()
    const tail = world.traffic(random, { writes: random.int(1, 15), overMs: 30 })
    await delay(random.int(0, 30))
    // Those that are cut off now miss the end of the tail.
    for (const { link } of world.readers.filter(() => random.chance(0.5))) {
      link.refuse(true)
      link.cut()
    }
    await tail
    await delay(random.int(0, 10))
    const isPromotedFirst = random.chance(0.5)
    const { port } = site.replica.server
    if (isPromotedFirst) await site.promote()
    for (const { link } of world.nodes) {
      link.target = port
      link.cut()
      link.refuse(false)
    }
    if (!isPromotedFirst) {
      // Until then it is a replica to them: reads work, writes don't.
      await delay(random.int(0, 60))
      await site.promote()
    }
    await world.traffic(random, { writes: random.int(0, 15), overMs: 30 })
    return 'required'
  },
}

const trimmed: FaultClass<SingleServer> = {
  name: 'log trimmed',
  what: 'readers are cut off for up to twice as many messages as the log keeps, which is 10: over that they must flush',
  maxLength: 10,
  start: () => SingleServer.start(),
  async inject(world, random) {
    const missed = new Map(world.nodes.map(node => [node, 0]))
    const victims = random.some(world.readers)
    for (const { link } of victims) {
      link.refuse(true)
      link.cut()
    }
    // Each is in the log before the next: as many messages as writes.
    const messages = random.pick([9, 10, 11, random.int(1, 20)])
    const reads = world.traffic(random, { writes: 0, reads: 20, overMs: 20 })
    for (let sent = 0; sent < messages; sent += 1) await world.write(random.pick(world.keys))
    for (const node of victims) missed.set(node, messages)
    for (const { link } of victims) link.refuse(false)
    await reads
    return [...missed.values()].map((count): FlushVerdict => (count > 10 ? 'required' : 'forbidden'))
  },
}

const processKilled: FaultClass<SingleServer> = {
  name: 'process killed and back',
  what: "a reader's process gets SIGKILL in a burst; a new one subscribes and loads at once, in the next burst",
  readers: 1,
  hasProcesses: true,
  // The defaults: a process that starts beside seven others takes longer than 150 ms for its first contact.
  heartbeat: { intervalMs: 750, timeoutMs: 1500 },
  start: () => SingleServer.start(),
  async inject(world, random) {
    const reader = world.readers[0]
    if (!reader) throw new Error('there is no reader')
    const burst = world.traffic(random, { writes: 15, overMs: 30 })
    await delay(random.int(0, 30))
    await reader.kill()
    await Promise.all([burst, reader.open()])
    await world.traffic(random, { writes: 15, overMs: 30, readers: [reader] })
    return 'forbidden'
  },
}

/** Faults of Redis, of its log, and of nodes as a whole. */
export const singleServerFaults: FaultClass<SingleServer>[] = [stopped, restarted, trimmed, processKilled]
export const failoverFaults: FaultClass<ReplicatedPair>[] = [failedOver]
