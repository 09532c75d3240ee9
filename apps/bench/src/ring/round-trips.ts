import { interleave, median } from '../rounds.js'
import { threeDigits } from '../units.js'
import { calibrated } from './calibrated.js'
import { Lane } from './lane.js'
import type { Options } from './options.js'
import { roundTripContenders, tripTimes } from './round-trip-contenders.js'

/** Microseconds of the trips of one round. */
export interface TripTimes {
  p50: number
  p99: number
  mean: number
}

export interface RoundTrips {
  contender: string
  /** How often the echoing thread slept for each trip; 1 when it is parked. Counted in a run of its own. */
  sleepsPerTrip: number
  /** One for each round. */
  rounds: TripTimes[]
}

const SIZE = 64
/** Trips of the run in which sleeping is counted. */
const COUNTED = 1000

/** The time from sending something to having it back, of each contender. */
export async function measureRoundTrips(file: URL, options: Options): Promise<RoundTrips[]> {
  const chosen = Object.entries(roundTripContenders).filter(([name]) => options.only(name))
  const lanes = chosen.map(([name, contender]) => [name, new Lane(file, name, contender)] as const)
  try {
    for (const [, lane] of lanes) await lane.open(SIZE, 0)
    const measurements = lanes.map(([name, lane]) => {
      const run = calibrated(lane, { ...options, step: 1, most: tripTimes.length })
      return [name, async () => summary((await run()).count)] as const
    })
    const rounds = await interleave<string, TripTimes>(Object.fromEntries(measurements), options.rounds)
    const results: RoundTrips[] = []
    for (const [contender, lane] of lanes) {
      const { sleeps } = await lane.run(COUNTED, { counting: true })
      const result = { contender, sleepsPerTrip: sleeps / COUNTED, rounds: rounds[contender] as TripTimes[] }
      results.push(result)
      print(result)
    }
    return results
  } finally {
    for (const [, lane] of lanes) await lane.close()
  }
}

function summary(trips: number): TripTimes {
  const times = tripTimes.subarray(0, trips)
  const mean = (times.reduce((sum, time) => sum + time, 0) / trips) * 1000
  times.sort()
  const quantile = (part: number): number => (times[Math.floor((trips - 1) * part)] as number) * 1000
  return { p50: quantile(0.5), p99: quantile(0.99), mean }
}

function print({ contender, sleepsPerTrip, rounds }: RoundTrips): void {
  const of = (key: keyof TripTimes): string => `${threeDigits(median(rounds.map(round => round[key])))} µs`
  console.log(
    `${contender.padEnd(20)}  p50 ${of('p50').padStart(8)}  p99 ${of('p99').padStart(8)}  mean ${of('mean').padStart(8)}` +
      `  ${threeDigits(sleepsPerTrip)} sleeps a trip`,
  )
}
