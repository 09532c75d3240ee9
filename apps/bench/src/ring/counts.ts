import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { HeapUse } from '../ring-heap.js'
import { threeDigits } from '../units.js'
import type { Contender } from './contender.js'
import { Lane } from './lane.js'
import { throughputContenders } from './throughput-contenders.js'

export interface NotifyCount {
  contender: string
  messages: number
  /** `Atomics.notify` calls of both threads, neither of which ever sleeps. */
  notifies: number
}

const SIZE = 64
const CAPACITY = 65_536
const MESSAGES = 100_000

/** The plain ring notifies always, which shows that the counter counts. */
const COUNTED = ['messages', 'messages, drained', 'channel', 'slots', 'plain ring']

export async function countNotifies(file: URL): Promise<NotifyCount[]> {
  const results: NotifyCount[] = []
  for (const contender of COUNTED) {
    const lane = new Lane(file, contender, throughputContenders[contender] as Contender)
    try {
      await lane.open(SIZE, CAPACITY)
      const { notifies } = await lane.run(MESSAGES, { counting: true })
      results.push({ contender, messages: MESSAGES, notifies })
      console.log(`${contender.padEnd(20)}  ${notifies} notifies in ${MESSAGES} messages`)
    } finally {
      await lane.close()
    }
  }
  return results
}

/** A process of its own, whose young generation is so large that it need not be collected meanwhile. */
export async function measureHeap(file: URL): Promise<HeapUse[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128', fileURLToPath(file)],
    { timeout: 60_000 },
  )
  const results: HeapUse[] = JSON.parse(stdout)
  for (const { operation, bytes, bytesPast2to31 } of results) {
    console.log(
      `${operation.padEnd(34)}  ${threeDigits(bytes)} heap bytes an operation, ${threeDigits(bytesPast2to31)} with cursors past 2^31`,
    )
  }
  return results
}
