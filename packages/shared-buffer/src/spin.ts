import { describe } from './shared-memory.js'

/** Looks, each some ten nanoseconds, so some thirty-five microseconds: about what an answer of two kilobytes of JSON takes. */
const LOOKS = 4000

/** How often a blocking read looks before it sleeps. Throws `RangeError` unless `spin` is an integer from 0 on. */
export function looksBeforeSleep(spin: number = defaultLooks()): number {
  if (Number.isSafeInteger(spin) && spin >= 0) return spin
  throw new RangeError(`spin must be an integer from 0 on, got ${describe(spin)}`)
}

/** On one core the other thread can't go on while this one looks. */
function defaultLooks(): number {
  return cores() > 1 ? LOOKS : 0
}

let known: number | undefined

function cores(): number {
  known ??=
    (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ??
    globalThis.process?.getBuiltinModule?.('node:os').availableParallelism() ??
    1
  return known
}
