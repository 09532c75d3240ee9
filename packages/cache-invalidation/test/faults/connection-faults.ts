import { setTimeout as delay } from 'node:timers/promises'
import type { FaultClass } from './fault-class.js'
import { SingleServer } from './sites.js'

type OnOneServer = FaultClass<SingleServer>

const killed: OnOneServer = {
  name: 'connection killed',
  what: 'CLIENT KILL of all subscribers, of all others, or of both, up to three times in a burst of publishes',
  start: () => SingleServer.start(),
  async inject(world, random) {
    const kills = Array.from({ length: random.int(1, 3) }, async () => {
      const type = random.pick(['pubsub', 'normal'])
      await delay(random.int(0, 40))
      await world.site.admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
    })
    await Promise.all([world.traffic(random, { writes: 30, overMs: 40 }), ...kills])
    return 'forbidden'
  },
}

const stalled: OnOneServer = {
  name: 'network stalled',
  what: 'nothing passes between some nodes and Redis for up to 300 ms; sometimes the connections break after it',
  start: () => SingleServer.start(),
  async inject(world, random) {
    const victims = random.some(world.nodes)
    const traffic = world.traffic(random, { writes: 20, overMs: random.int(20, 150) })
    await delay(random.int(0, 20))
    for (const { link } of victims) link.stall(true)
    await delay(random.pick([random.int(5, 60), random.int(60, 300)]))
    for (const { link } of victims) {
      if (random.chance(0.3)) link.cut()
      link.stall(false)
    }
    await traffic
    return 'forbidden'
  },
}

const halfOpen: OnOneServer = {
  name: 'connection half open',
  what: 'connections of readers lose all bytes and ends in one direction, or both; they are never mended',
  start: () => SingleServer.start(),
  async inject(world, random) {
    const victims = random.some(world.readers)
    const traffic = world.traffic(random, { writes: 20, overMs: random.int(20, 100) })
    await delay(random.int(0, 20))
    for (const { link } of victims)
      link.halfOpen(random.some(['toServer', 'toClient']), () => random.chance(0.5))
    await traffic
    return 'forbidden'
  },
}

const fillers = Array.from({ length: 50 }, (_, i) => `filler${i}`.padEnd(8000))

const slow: OnOneServer = {
  name: 'slow subscriber cut off',
  what: 'a reader stops reading until Redis cuts it off (client-output-buffer-limit)',
  readers: 1,
  // Each has 400 KB.
  maxLength: 200,
  // So that it is Redis who breaks the connection, not the heartbeat.
  heartbeat: { intervalMs: 60_000, timeoutMs: 5000 },
  start: () => SingleServer.start('--client-output-buffer-limit', 'pubsub 1mb 0 0'),
  async inject(world, random) {
    const [victim] = world.readers
    victim?.link.pause(true)
    const traffic = world.traffic(random, { writes: 10, overMs: 100 })
    const subscribers = async () =>
      String(await world.site.admin.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
        .trim()
        .split('\n').length
    for (let sent = 0; (await subscribers()) > 1; sent += 1) {
      if (sent === 100) throw new Error('Redis did not cut the reader off after 40 MB')
      await world.write(random.pick(world.keys), fillers)
    }
    await traffic
    victim?.link.pause(false)
    return 'forbidden'
  },
}

const unanswered: OnOneServer = {
  name: 'answer lost, connection cut',
  what: "the writer's connections lose what Redis answers, then break: the script is sent again under its id",
  forbidsDuplicates: true,
  start: () => SingleServer.start(),
  async inject(world, random) {
    const traffic = world.traffic(random, { writes: 20, overMs: 40 })
    await delay(random.int(0, 20))
    world.writer.link.halfOpen(['toClient'])
    await delay(random.int(5, 60))
    world.writer.link.cut()
    await traffic
    return 'forbidden'
  },
}

const timedOut: OnOneServer = {
  name: 'answer late, commandTimeout',
  what: "the writer's connections stall beyond ioredis' commandTimeout of 40 ms: the script is sent again under its id",
  forbidsDuplicates: true,
  commandTimeout: 40,
  start: () => SingleServer.start(),
  async inject(world, random) {
    const traffic = world.traffic(random, { writes: 20, overMs: 40 })
    await delay(random.int(0, 20))
    world.writer.link.pause(true)
    await delay(random.int(20, 110))
    world.writer.link.pause(false)
    await traffic
    return 'forbidden'
  },
}

const writerHalfOpen: OnOneServer = {
  name: 'writer half open',
  what: "the writer's connections lose all bytes and ends in one direction, or both: it has to notice that by itself",
  worlds: 40,
  start: () => SingleServer.start(),
  async inject(world, random) {
    const traffic = world.traffic(random, { writes: 20, overMs: 40 })
    await delay(random.int(0, 20))
    world.writer.link.halfOpen(random.some(['toServer', 'toClient']))
    await traffic
    return 'forbidden'
  },
}

const overflowed: OnOneServer = {
  name: "writer's queue full",
  what: 'the writer is cut off, with up to twice as many keys to tell as its queue takes, which is 10: over that all must flush',
  maxQueuedKeys: 10,
  start: () => SingleServer.start(),
  async inject(world, random) {
    const { link } = world.writer
    link.refuse(true)
    link.cut()
    // Until then a message could be on its way, which counts no more as waiting.
    await delay(20)
    const first = random.int(0, world.keys.length - 1)
    const written = random.pick([9, 10, 11, random.int(1, 20)])
    for (let i = 0; i < written; i += 1)
      void world.write(world.keys[(first + i) % world.keys.length] as string)
    await world.traffic(random, { writes: 0, reads: 20, overMs: 20 })
    link.refuse(false)
    return written > 10 ? 'required' : 'forbidden'
  },
}

/** Faults between nodes and Redis: the log still holds all that was missed. */
export const connectionFaults: OnOneServer[] = [
  killed,
  stalled,
  halfOpen,
  slow,
  unanswered,
  timedOut,
  writerHalfOpen,
  overflowed,
]
