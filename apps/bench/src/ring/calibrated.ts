import { otherLoad } from '../other-load.js'
import type { Run } from './lane.js'

export interface CountedRun extends Run {
  count: number
}

/** A count grows by no more than this at once: what runs first is not yet compiled, and tells little. */
const GROWTH = 8
/** Two spinning threads need both cores: more than this part of one taken by other processes spoils a run. */
const DISTURBANCE = 0.1
/** What the clock of the cores can be wrong by, in milliseconds. */
const CLOCK_STEP = 10
/** How often a spoilt run is repeated. */
const REPEATS = 10
/** How many milliseconds all repeats together may take, so that a busy machine delays the end and not for ever. */
let left = 60_000

/** Runs that were spoilt to the last, and kept. */
export let disturbed = 0

/**
 * Runs that take about `milliseconds` each. The count that this takes is found out on the way: a multiple of
 * `step`, and not more than `most`. A run that other processes disturbed is repeated, whatever came out.
 */
export function calibrated(
  lane: { run(count: number): Promise<Run> },
  { milliseconds, step, most }: { milliseconds: number; step: number; most: number },
): () => Promise<CountedRun> {
  let count = step
  return async () => {
    for (let repeats = 0; ; ) {
      const others = otherLoad()
      const run = { count, ...(await lane.run(count)) }
      const spoilt = others() > run.milliseconds * DISTURBANCE + CLOCK_STEP
      const wanted = Math.min((count / run.milliseconds) * milliseconds, count * GROWTH, most)
      count = Math.max(step, Math.floor(wanted / step) * step)
      if (run.milliseconds < milliseconds / 2 && count > run.count) continue
      if (!spoilt) return run
      left -= run.milliseconds
      if (++repeats > REPEATS || left < 0) {
        disturbed++
        return run
      }
    }
  }
}
