import { createCacheInvalidator, subscribeToCacheInvalidation } from '@scratchyjs/cache-invalidation'
import { Redis } from 'ioredis'
import { type Rival, rivals } from './rivals.js'

/** One way to tell other processes which key is stale. */
export interface Contender {
  /** Resolves when it is subscribed. */
  listen(port: number, onKey: (key: string) => void): Promise<void>
  speak(port: number): Promise<Speaker>
}

export interface Speaker {
  /** Resolves when it is done, as far as this contender can tell. */
  send(key: string): Promise<unknown>
}

const channel = 'bench'

function connect(port: number): Redis {
  // When the server is stopped at the end.
  return new Redis(port, '127.0.0.1').on('error', () => {})
}

async function listenRaw(port: number, name: string, onKey: (key: string) => void): Promise<void> {
  const subscriber = connect(port)
  subscriber.on('message', (_, message) => JSON.parse(message).keys.forEach(onKey))
  await subscriber.subscribe(name)
}

/** The message that is understood everywhere, and carries as much as ours. */
const messageOf = (key: string): string => JSON.stringify({ keys: [key] })

const rawPublish: Contender = {
  listen: (port, onKey) => listenRaw(port, `${channel}:raw`, onKey),
  async speak(port) {
    const publisher = connect(port)
    await publisher.ping()
    return { send: key => publisher.publish(`${channel}:raw`, messageOf(key)) }
  },
}

/** What any script costs, however little it does. */
const bareScript: Contender = {
  listen: (port, onKey) => listenRaw(port, `${channel}:script`, onKey),
  async speak(port) {
    const publisher = connect(port)
    const hash = await publisher.script('LOAD', "return redis.call('PUBLISH', KEYS[1], ARGV[1])")
    return { send: key => publisher.evalsha(hash as string, 1, `${channel}:script`, messageOf(key)) }
  },
}

const ours: Contender = {
  async listen(port, onKey) {
    const subscription = subscribeToCacheInvalidation({
      subscriber: connect(port),
      onInvalidate: keys => keys.forEach(onKey),
      onFlush: reason => {
        throw new Error(`flushed: ${reason}`)
      },
      channel,
    })
    while (subscription.status !== 'synchronised') await new Promise(resolve => setTimeout(resolve, 5))
  },
  async speak(port) {
    const publisher = connect(port)
    await publisher.ping()
    const { publish } = createCacheInvalidator({ publisher, channel })
    return { send: key => publish([key]) }
  },
}

function rivalContender(rival: Rival): Contender {
  return {
    async listen(port, onKey) {
      await rival.open({ port, onInvalidate: keys => keys.forEach(onKey) })
    },
    async speak(port) {
      const cache = await rival.open({ port })
      return { send: key => cache.invalidate([key]) }
    },
  }
}

export const contenders: Record<string, Contender> = {
  'raw PUBLISH': rawPublish,
  'bare EVALSHA': bareScript,
  ours,
  ...Object.fromEntries(rivals.map(rival => [rival.name, rivalContender(rival)])),
}
