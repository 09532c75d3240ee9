import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import Fastify from 'fastify'
import type { PageProps } from '../bench-page.js'
import { median } from '../rounds.js'
import { threeDigits } from '../units.js'
import type { Setting } from './contenders.js'
import type { LoadProcess } from './load-process.js'

/** What a client that reads 1 KB/s does to the server, by round. */
export interface SlowClient {
  /** Bytes that the worker has made and the operating system has not taken. */
  heldBytes: number[]
  /** Milliseconds of other clients' streams without it, and with it. */
  alone: number[]
  beside: number[]
}

/** More than the buffers of both ends' sockets take. */
const HUGE = 2 ** 26

/** One client crawls through a streamed page, another process reads streams of 500 KB, one at a time. */
export async function measureSlowClient(
  files: Setting['files'],
  slow: LoadProcess,
  client: LoadProcess,
  { rounds, quick }: { rounds: number; quick: boolean },
): Promise<SlowClient> {
  const app = Fastify({ forceCloseConnections: true })
  await app.register(rendererPlugin, { worker: files.worker, minThreads: 2, maxThreads: 2 })
  let made = 0
  app.piscina.on('message', message => {
    made = message.made
  })
  let crawling: Socket | undefined
  const context = (props: Omit<PageProps, 'ascii'>) => ({ route: '/', props: { ...props, ascii: true } })
  app.get('/page', (_, reply) => reply.renderStream(context({ made: 'parts', bytes: 512_000 })))
  app.get('/huge', (request, reply) => {
    crawling = request.raw.socket
    return reply.renderStream(context({ made: 'counted', bytes: HUGE }))
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const others = async () => (await client.load(`${origin}/page?bytes=512000`, quick ? 300 : 1000, 1)).p50
  const held = ({ bytesWritten, writableLength }: Socket) => made - (bytesWritten - writableLength)

  const results: SlowClient = { heldBytes: [], alone: [], beside: [] }
  try {
    for (let round = 0; round <= rounds; round++) {
      const alone = await others()
      await slow.crawl(`${origin}/huge`, 1024)
      let before = 0
      await until(() => {
        const isStuck = made > 0 && made === before
        before = made
        return isStuck
      })
      const beside = await others()
      const heldBytes = held(crawling as Socket)
      await slow.stop()
      await until(() => app.renderer.stats().workers.active === 0)
      made = 0
      if (round === 0) continue
      results.alone.push(alone)
      results.beside.push(beside)
      results.heldBytes.push(heldBytes)
    }
  } finally {
    await app.close()
  }
  const { alone, beside, heldBytes } = results
  console.log(
    `held ${(median(heldBytes) / 1024).toFixed(0)} KiB; other streams ${threeDigits(median(alone))} ms without it, ${threeDigits(median(beside))} ms with it`,
  )
  return results
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    await delay(200)
    if (isTrue()) return
  }
  throw new Error('the slow client neither stops the worker nor frees it')
}
