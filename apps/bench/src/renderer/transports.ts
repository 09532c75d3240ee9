import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createRenderer, type Renderer, type RendererOptions } from '@scratchyjs/renderer'
import { startRedis } from '@scratchyjs/tooling/redis'
import { Redis } from 'ioredis'
import type { PageProps } from '../bench-page.js'
import { repeated, type Times } from '../repeated.js'
import { interleave, median } from '../rounds.js'
import { formatBytes, threeDigits } from '../units.js'

/** How contexts get to the worker. */
export interface TransportTimes {
  transport: string
  /** Of the context's JSON, about. */
  contextBytes: number
  /** One page after the other: milliseconds. */
  alone: Times[]
  /** Many at once. */
  together: Times[]
  /** Contexts that took the way for when Redis is slow or out. */
  elsewhere: number
}

/** By so much Redis is farther away through the proxy, in milliseconds. */
const PROXY_MS = 1.5
const CONTEXTS = [200, 102_400]
const AT_ONCE = 16
const props: PageProps = { bytes: 10_240, ascii: true, made: 'ready' }

/** Latency of pages of 10 KB and pages per second, by transport and size of the context. */
export async function measureTransports(
  files: { worker: URL; slowRedis: URL },
  { rounds, quick }: { rounds: number; quick: boolean },
): Promise<TransportTimes[]> {
  const server = await startRedis()
  const proxy = fork(files.slowRedis, [`${server.port}`, `${PROXY_MS}`])
  const [proxyPort] = (await once(proxy, 'message')) as [number]
  const open = (options: Partial<RendererOptions>) =>
    createRenderer({ worker: files.worker, minThreads: 1, maxThreads: 1, ...options })
  const renderers: Record<string, Renderer> = {
    shared: open({}),
    payload: open({ transport: 'payload' }),
    'redis, local': open({ transport: 'redis', redis: server.url }),
    [`redis, + ${PROXY_MS} ms`]: open({ transport: 'redis', redis: `redis://127.0.0.1:${proxyPort}` }),
  }
  const results: TransportTimes[] = []
  try {
    await Promise.all(Object.values(renderers).map(({ ready }) => ready))
    console.log(`PING: ${await ping(server.port)} ms, through the proxy ${await ping(proxyPort)} ms`)
    for (const contextBytes of CONTEXTS) {
      const context = { route: '/', props, filler: 'x'.repeat(contextBytes - 100) }
      const page = (renderer: Renderer) => async () => (await renderer.render(context)).release()
      const measured = Object.entries(renderers).map(([name, renderer]) => {
        const alone = () => repeated(quick ? 100 : 500, 1, page(renderer))
        const together = () => repeated(quick ? 100 : 400, AT_ONCE, page(renderer))
        return [name, async () => ({ alone: await alone(), together: await together() })] as const
      })
      const times = await interleave<string, { alone: Times; together: Times }>(
        Object.fromEntries(measured),
        rounds,
      )
      for (const [transport, all] of Object.entries(times)) {
        const { renders, transport: carried } = (renderers[transport] as Renderer).stats()
        const before = results.findLast(one => one.transport === transport)?.elsewhere ?? 0
        const result = {
          transport,
          contextBytes,
          alone: all.map(one => one.alone),
          together: all.map(one => one.together),
          elsewhere: transport.startsWith('redis') ? renders - carried.redis - before : 0,
        }
        results.push(result)
        print(result)
      }
    }
  } finally {
    await Promise.all(Object.values(renderers).map(renderer => renderer.close()))
    proxy.disconnect()
    await server.stop()
  }
  return results
}

async function ping(port: number): Promise<string> {
  const client = new Redis(port, '127.0.0.1')
  const { p50 } = await repeated(100, 1, () => client.ping())
  client.disconnect()
  return threeDigits(p50)
}

function print({ transport, contextBytes, alone, together, elsewhere }: TransportTimes): void {
  const [p50, p99] = (['p50', 'p99'] as const).map(key => threeDigits(median(alone.map(one => one[key]))))
  const rate = Math.round(median(together.map(one => one.perSecond)))
  const lost = elsewhere > 0 ? `, ${elsewhere} not through Redis` : ''
  console.log(
    `${formatBytes(contextBytes).padEnd(8)} ${transport.padEnd(14)}  p50 ${p50} ms, p99 ${p99} ms, ${rate} pages/s${lost}`,
  )
}
