import { type Figure, figure, ratios } from '../figure.js'
import type { HeapUse } from '../ring-heap.js'
import { formatBytes } from '../units.js'
import type { NotifyCount } from './counts.js'
import { SIZES } from './options.js'
import type { RoundTrips, TripTimes } from './round-trips.js'
import type { Throughput } from './throughput.js'

export interface Results {
  throughput: Throughput[]
  roundTrips: RoundTrips[]
  notifies: NotifyCount[]
  heap: HeapUse[]
}

const OURS = ['messages', 'messages, drained', 'channel', 'plain ring', 'slots']
const FROM_4_KIB = SIZES.filter(size => size >= 4096)

/** What the counter of heap bytes was seen to vary by, for an operation. */
const HEAP_NOISE = 0.1

/** Messages per second: the fastest of ours in a round against the fastest rival in that round. */
interface RateFigure {
  what: string
  ours: string[]
  rivals: string[]
  /** The one with the smallest median ratio counts. */
  sizes: number[]
  target: number
}

const RATES: RateFigure[] = [
  {
    what: 'message ring / reference ring',
    ours: ['messages'],
    rivals: ['reference ring'],
    sizes: [64],
    target: 2,
  },
  {
    what: 'message ring / reference ring',
    ours: ['messages'],
    rivals: ['reference ring'],
    sizes: [256],
    target: 2,
  },
  {
    what: 'drained batches / reference ring',
    ours: ['messages, drained'],
    rivals: ['reference ring'],
    sizes: [64],
    target: 4,
  },
  {
    what: 'drained batches / reference ring',
    ours: ['messages, drained'],
    rivals: ['reference ring'],
    sizes: [256],
    target: 4,
  },
  {
    what: 'message ring / postMessage',
    ours: ['messages', 'messages, drained'],
    rivals: ['postMessage clone'],
    sizes: [64],
    target: 20,
  },
  {
    what: 'message ring / postMessage',
    ours: ['messages', 'messages, drained'],
    rivals: ['postMessage clone'],
    sizes: [1024],
    target: 10,
  },
  {
    what: 'message ring / postMessage',
    ours: ['messages', 'messages, drained'],
    rivals: ['postMessage clone'],
    sizes: [65_536],
    target: 3,
  },
  {
    what: 'message ring / postMessage with a transfer',
    ours: ['messages', 'messages, drained'],
    rivals: ['postMessage transfer'],
    sizes: [64],
    target: 20,
  },
  {
    what: 'message ring / postMessage with a transfer',
    ours: ['messages', 'messages, drained'],
    rivals: ['postMessage transfer'],
    sizes: [1024],
    target: 10,
  },
  {
    what: 'message ring / postMessage with a transfer',
    ours: ['messages', 'messages, drained'],
    rivals: ['postMessage transfer'],
    sizes: [65_536],
    target: 3,
  },
  { what: 'the fastest of ours / ringbuf.js', ours: OURS, rivals: ['ringbuf.js'], sizes: [64], target: 1.5 },
  {
    what: 'the fastest of ours / ringbuf.js',
    ours: OURS,
    rivals: ['ringbuf.js'],
    sizes: FROM_4_KIB,
    target: 5,
  },
  {
    what: 'byte channel carrying text / thread-stream',
    ours: ['channel, text'],
    rivals: ['thread-stream'],
    sizes: SIZES,
    target: 2,
  },
  {
    what: 'byte channel / two threads copying, not synchronised',
    ours: ['channel'],
    rivals: ['copies alone'],
    sizes: [65_536],
    target: 0.8,
  },
]

/** Times of round trips, which should be at most `target` of the rival's. */
const TIMES: { what: string; ours: string; rival: string; key: keyof TripTimes; target: number }[] = [
  {
    what: 'round trip, message ring parked / bare wait and notify',
    ours: 'messages, parked',
    rival: 'bare wait/notify',
    key: 'p50',
    target: 1.2,
  },
  {
    what: 'round trip, message ring parked / bare wait and notify',
    ours: 'messages, parked',
    rival: 'bare wait/notify',
    key: 'mean',
    target: 1.2,
  },
  {
    what: 'round trip, message ring spinning / postMessage',
    ours: 'messages, spinning',
    rival: 'postMessage bytes',
    key: 'p50',
    target: 0.2,
  },
  {
    what: 'round trip of a 2 KB object, mailbox / postMessage',
    ours: 'mailbox object',
    rival: 'postMessage object',
    key: 'p50',
    target: 0.9,
  },
]

/** All figures that the results are complete enough for. */
export function figures({ throughput, roundTrips, notifies, heap }: Results): Figure[] {
  const padded = notifies.filter(({ contender }) => contender !== 'plain ring').map(count => count.notifies)
  const unallocating = heap.filter(({ operation }) => !operation.includes('copies'))
  return [
    ...RATES.map(wanted => slowestSize(wanted, throughput)),
    ...TIMES.map(({ what, ours, rival, key, target }) => {
      const times = (name: string): number[] =>
        roundTrips.find(({ contender }) => contender === name)?.rounds.map(round => round[key]) ?? []
      return figure(`${what}, ${key}`, 'at most', target, ratios(times(ours), times(rival)))
    }),
    largest('notifies made while nobody waits, padded layouts', 0, padded),
    largest(
      "heap bytes per operation, caller's buffer, 64 B",
      HEAP_NOISE,
      unallocating.map(({ bytes }) => bytes),
    ),
    largest(
      'the same with cursors past 2^31',
      HEAP_NOISE,
      unallocating.map(({ bytesPast2to31 }) => bytesPast2to31),
    ),
  ].filter(one => one !== undefined)
}

function slowestSize(
  { what, ours, rivals, sizes, target }: RateFigure,
  throughput: Throughput[],
): Figure | undefined {
  const rates = (names: string[], size: number): number[] => {
    const found = throughput.filter(one => one.size === size && names.includes(one.contender))
    return (found[0]?.messagesPerSecond ?? []).map((_, round) =>
      Math.max(...found.map(({ messagesPerSecond }) => messagesPerSecond[round] as number)),
    )
  }
  const worst = sizes.length > 1 ? 'at worst, ' : ''
  return sizes
    .flatMap(size => {
      const values = ratios(rates(ours, size), rates(rivals, size))
      return figure(`${what}, ${worst}${formatBytes(size)}`, 'at least', target, values) ?? []
    })
    .sort((a, b) => a.value - b.value)[0]
}

function largest(what: string, target: number, values: number[]): Figure | undefined {
  return values.length === 0 ? undefined : figure(what, 'at most', target, [Math.max(...values)])
}
