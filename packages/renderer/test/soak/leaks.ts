import type { EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyInstance } from 'fastify'

type Renderer = FastifyInstance['renderer']

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** How many listeners each event has. */
function listenersOf(name: string, emitter: EventEmitter): [string, number][] {
  return emitter
    .eventNames()
    .map(event => [`${name} ${String(event)}`, emitter.listenerCount(event)] as [string, number])
    .filter(([, count]) => count > 0)
}

/** All that a server holds while it has nothing to do: the same, whatever it has done before. */
export function holdings({ server, renderer }: FastifyInstance): Record<string, unknown> {
  const { slots, streams, queue, workers } = renderer.stats()
  const { piscina } = renderer
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  return {
    slots: [slots.inUse, slots.quarantined],
    streams,
    waiting: queue.size,
    active: workers.active,
    threads: workers.count,
    resources,
    listeners: Object.fromEntries([
      ...listenersOf('server', server),
      ...listenersOf('process', process),
      ...listenersOf('piscina', piscina),
      ...piscina.threads.flatMap((thread, i) => listenersOf(`thread ${i}`, thread)),
    ]),
  }
}

/** Bytes of JavaScript objects, and of buffers, after a collection. */
export async function memory(): Promise<{ heap: number; buffers: number }> {
  for (let turn = 0; turn < 4; turn++) {
    await delay(20)
    collect()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, buffers: arrayBuffers }
}

/** Waits until nothing is rendered, sent or quarantined any more, and no thread starts; what never ends stays for {@link holdings} to tell. */
export async function idle(renderer: Renderer, app?: FastifyInstance): Promise<void> {
  const connections = () =>
    new Promise<number>(resolve => {
      if (app) app.server.getConnections((_, count) => resolve(count))
      else resolve(0)
    })
  const until = performance.now() + 15_000
  while (performance.now() < until) {
    const { slots, streams, workers, queue } = renderer.stats()
    const starting = workers.count - renderer.piscina.idleThreads
    const busy = slots.inUse + slots.quarantined + streams + workers.active + queue.size + starting
    if (busy === 0 && (await connections()) === 0) return
    await delay(20)
  }
}

/**
 * Everything that the renderer can do at once, at once: a stream on each thread, then a page in each slot. Answers the
 * threads' ids.
 */
export async function fullCapacity(renderer: Renderer, threads: number): Promise<string[]> {
  const props = { token: 'capacity', times: 1e6, parts: 1e6, ms: 5 }
  const streams = await Promise.all(
    Array.from({ length: threads }, () => renderer.renderStream({ route: 'canary', props })),
  )
  for (const { stream } of streams) stream.destroy()
  const { slots } = renderer.stats()
  await idle(renderer)
  const whole = { route: 'canary', props: { token: 'capacity', times: 1 } }
  const pages = await Promise.all(Array.from({ length: slots.total }, () => renderer.render(whole)))
  const { inUse } = renderer.stats().slots
  for (const page of pages) page.release()
  if (inUse < slots.total) throw new Error(`Of ${slots.total} slots only ${inUse} can be used`)
  return streams.map(({ headers }) => String(headers['x-thread']))
}
