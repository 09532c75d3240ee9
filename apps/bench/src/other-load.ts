import { cpus } from 'node:os'

/** What the whole machine has worked so far, in milliseconds on all cores; on Linux in steps of 10. */
function worked(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
}

/** Milliseconds on a core that others than this process worked, from the call to the answered function's. */
export function otherLoad(): () => number {
  const own = process.cpuUsage()
  const all = worked()
  return () => {
    const { user, system } = process.cpuUsage(own)
    return worked() - all - (user + system) / 1000
  }
}
