import { interleave, median } from '../rounds.js'
import { type CountedRun, calibrated } from './calibrated.js'
import { Lane } from './lane.js'
import type { Options } from './options.js'
import { ThreadStreamLane } from './thread-stream-lane.js'
import { throughputContenders } from './throughput-contenders.js'
import { formatBytes, formatRate } from './units.js'

export interface Throughput {
  contender: string
  /** Bytes of a message. */
  size: number
  /** Bytes that the rings hold. */
  capacity: number
  /** One for each round. */
  messagesPerSecond: number[]
}

/** The entries of the workers. */
interface WorkerFiles {
  receiver: URL
  textSink: URL
}

/** Runs are multiples of this, which is what the batches come in. */
const STEP = 32
/** Keeps a run's bytes countable in 31 bits. */
const MOST_BYTES = 2 ** 31 - 2 ** 26

/** Messages per second of all contenders, one size after the other. */
export async function measureThroughput(files: WorkerFiles, options: Options): Promise<Throughput[]> {
  const lanes: Record<string, Lane | ThreadStreamLane> = {}
  for (const [name, contender] of Object.entries(throughputContenders)) {
    if (options.only(name)) lanes[name] = new Lane(files.receiver, name, contender)
  }
  if (options.only('thread-stream')) lanes['thread-stream'] = new ThreadStreamLane(files.textSink)
  const results: Throughput[] = []
  try {
    for (const size of options.sizes) {
      const capacity = Math.max(65_536, 16 * size)
      for (const lane of Object.values(lanes)) await lane.open(size, capacity)
      const measurements = Object.entries(lanes).map(([name, lane]) => {
        const run = calibrated(lane, { ...options, step: STEP, most: MOST_BYTES / size })
        return [name, async () => perSecond(await run())]
      })
      const rates = await interleave<string, number>(Object.fromEntries(measurements), options.rounds)
      for (const [contender, messagesPerSecond] of Object.entries(rates)) {
        results.push({ contender, size, capacity, messagesPerSecond })
        print(contender, size, messagesPerSecond)
      }
    }
  } finally {
    for (const lane of Object.values(lanes)) await lane.close()
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
