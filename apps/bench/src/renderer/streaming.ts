import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { createRenderer } from '@scratchyjs/renderer'
import { Piscina } from 'piscina'
import type { PageProps } from '../bench-page.js'
import { mainThreadMs } from '../main-thread-time.js'
import { streamByPort } from '../port-stream.js'
import { interleave, median } from '../rounds.js'
import { formatRate } from '../units.js'

export interface Streaming {
  /** What the worker's chunks are, 4 KiB each. */
  chunks: 'bytes' | 'text'
  contender: string
  /** Of each round. */
  bytesPerSecond: number[]
  /** Main-thread milliseconds of a megabyte. */
  msPerMB: number[]
}

interface Run {
  bytesPerSecond: number
  msPerMB: number
}

/** From a worker to whoever reads the stream on the main thread. */
export async function measureStreaming(
  files: { worker: URL; rival: URL },
  { rounds, quick }: { rounds: number; quick: boolean },
): Promise<Streaming[]> {
  const threads = { minThreads: 1, maxThreads: 1 }
  const renderer = createRenderer({ worker: files.worker, ...threads })
  const rival = new Piscina({ filename: fileURLToPath(files.rival), ...threads, atomics: 'disabled' })
  const bytes = (quick ? 8 : 64) * 2 ** 20
  const results: Streaming[] = []
  try {
    for (const [chunks, made] of [['bytes', 'blocks'] as const, ['text', 'text'] as const]) {
      const props: PageProps = { bytes, ascii: true, made }
      const runs = await interleave<string, Run>(
        {
          renderStream: () =>
            read(bytes, async () => (await renderer.renderStream({ route: '/', props })).stream),
          MessagePort: () => read(bytes, async () => streamByPort(rival, props)),
        },
        rounds,
      )
      for (const [contender, all] of Object.entries(runs)) {
        const bytesPerSecond = all.map(run => run.bytesPerSecond)
        const msPerMB = all.map(run => run.msPerMB)
        results.push({ chunks, contender, bytesPerSecond, msPerMB })
        console.log(
          `${chunks.padEnd(6)} ${contender.padEnd(14)}  ${formatRate(median(bytesPerSecond))}B/s, main thread ${median(msPerMB).toFixed(2)} ms a MB`,
        )
      }
    }
  } finally {
    await Promise.all([renderer.close(), rival.close()])
  }
  return results
}

async function read(bytes: number, open: () => Promise<Readable>): Promise<Run> {
  globalThis.gc?.()
  const active = mainThreadMs()
  const startedAt = performance.now()
  let got = 0
  const stream = await open()
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      got += chunk.length
    })
    stream.on('end', resolve)
    stream.on('error', reject)
  })
  if (got !== bytes) throw new Error(`${got} bytes came, not ${bytes}`)
  return {
    bytesPerSecond: (bytes / (performance.now() - startedAt)) * 1000,
    msPerMB: ((mainThreadMs() - active) / bytes) * 1e6,
  }
}
