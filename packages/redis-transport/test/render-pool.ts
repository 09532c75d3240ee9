import { setTimeout as sleep } from 'node:timers/promises'
import { Piscina } from 'piscina'
import type { RedisTransport, TransportBreakerOptions } from '../src/index.js'

export interface PageContext {
  route: string
  props: { name: string; dies?: boolean }
}

/** A pool whose threads render what a transport sends. */
export interface RenderPool {
  piscina: Piscina
  /** Renders as the README tells users to. */
  render(context: PageContext): Promise<string>
  /** How often a context was sent again, by reason. */
  lost: Record<string, number>
  /** The ids of the threads that have rendered something. */
  rendered: Set<number>
  close(): Promise<void>
}

interface Rendered {
  html?: string
  lost?: string
  threadId?: number
  error?: unknown
}

export async function startPool(
  transport: RedisTransport,
  redis: { host: string; port: number },
  breaker: TransportBreakerOptions = {},
): Promise<RenderPool> {
  const piscina = new Piscina({
    filename: new URL('./render-worker.mjs', import.meta.url).href,
    minThreads: 2,
    maxThreads: 2,
    // A thread that waits for work in Atomics.wait would not read its socket.
    atomics: 'disabled',
    workerData: { redis, breaker },
  })
  piscina.on('error', () => {})
  const lost: Record<string, number> = {}
  const rendered = new Set<number>()
  return {
    piscina,
    lost,
    rendered,
    async render(context) {
      const envelope = await transport.send(context)
      const result: Rendered = await piscina.run(envelope).catch(error => ({ error }))
      if (result.threadId) rendered.add(result.threadId)
      if (result.html) return result.html
      transport.discard(envelope)
      if (!result.lost) throw result.error
      lost[result.lost] = (lost[result.lost] ?? 0) + 1
      return (await piscina.run(transport.payload(context))).html
    },
    close: () => piscina.close(),
  }
}

/** Does something many times, so many at once, until it is told to stop; resolves to how often. */
export async function underLoad(
  concurrency: number,
  action: (index: number) => Promise<void>,
  hasMore: (index: number) => boolean,
): Promise<number> {
  let next = 0
  const loop = async () => {
    while (hasMore(next)) {
      const index = next
      next += 1
      await action(index)
      // Timers and sockets of this thread get their turn.
      if (index % 64 === 0) await sleep(0)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  return next
}
