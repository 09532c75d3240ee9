import { interleave, median } from '../rounds.js'
import { formatBytes, formatRate } from '../units.js'
import { type CountedRun, calibrated } from './calibrated.js'
import type { Options } from './options.js'
import { SenderThread } from './sender-thread.js'
import { throughputContenders } from './throughput-contenders.js'

export interface Throughput {
  contender: string
  /** Bytes of a message. */
  size: number
  /** Bytes that the rings hold. */
  capacity: number
  /** One for each round. */
  messagesPerSecond: number[]
}

/** Runs are multiples of this, which is what the batches come in. */
const STEP = 32
/** Keeps a run's bytes countable in 31 bits. */
const MOST_BYTES = 2 ** 31 - 2 ** 26

/** Messages per second of all contenders, one size after the other. */
export async function measureThroughput(file: URL, options: Options): Promise<Throughput[]> {
  const names = [...Object.keys(throughputContenders), 'thread-stream'].filter(options.only)
  const lanes = names.map(name => [name, new SenderThread(file, name)] as const)
  const results: Throughput[] = []
  try {
    for (const size of options.sizes) {
      const capacity = Math.max(options.capacity, 4 * size)
      for (const [, lane] of lanes) await lane.open(size, capacity)
      const measurements = lanes.map(([name, lane]) => {
        const run = calibrated(lane, { ...options, step: STEP, most: MOST_BYTES / size })
        return [name, async () => perSecond(await run())] as const
      })
      const rates = await interleave<string, number>(Object.fromEntries(measurements), options.rounds)
      for (const [contender, messagesPerSecond] of Object.entries(rates)) {
        results.push({ contender, size, capacity, messagesPerSecond })
        print(contender, size, messagesPerSecond)
      }
    }
  } finally {
    for (const [, lane] of lanes) await lane.close()
  }
  return results
}

function perSecond({ count, milliseconds }: CountedRun): number {
  return (count / milliseconds) * 1000
}

function print(name: string, size: number, rates: number[]): void {
  const rate = median(rates)
  console.log(
    [
      formatBytes(size).padStart(8),
      name.padEnd(20),
      `${formatRate(rate)}msg/s`.padStart(14),
      `(${formatRate(Math.min(...rates)).trim()} – ${formatRate(Math.max(...rates)).trim()})`.padEnd(20),
      `${formatRate(rate * size)}B/s`.padStart(12),
    ].join('  '),
  )
}
