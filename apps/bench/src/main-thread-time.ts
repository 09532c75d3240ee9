import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

/** How the main thread's time is counted here. */
export const clock: 'cpu' | 'active' = readCpu() === undefined ? 'active' : 'cpu'

/**
 * Milliseconds of work done by the main thread so far: its time on a core where Linux tells it (no other thread's, no
 * time waiting for a core), else the time its event loop was active.
 */
export function mainThreadMs(): number {
  return readCpu() ?? performance.eventLoopUtilization().active
}

function readCpu(): number | undefined {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
    return Number(nanoseconds) / 1e6
  } catch {
    return undefined
  }
}
