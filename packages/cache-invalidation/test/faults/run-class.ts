import { setTimeout as delay } from 'node:timers/promises'
import type { System } from './cache-node.js'
import type { FaultClass, FlushVerdict } from './fault-class.js'
import { Random } from './random.js'
import { type Outcome, World } from './world.js'

/** How much of a class is run, and how. */
export interface RunOptions {
  count: number
  /** Fault number i has the seed `seed + i`: with that seed and count 1 it is the same again. */
  seed: number
  /** How many worlds run side by side. */
  worlds: number
  /** How long after a fault all must be in step and nothing stale, in milliseconds. */
  settleMs: number
  /** The script of nodes in processes. */
  entry: string
  onProgress?: (result: ClassResult) => void
}

/** What came of the faults of one class. */
export interface ClassResult {
  name: string
  what: string
  faults: number
  writes: number
  rejected: number
  lost: number
  outOfStep: number
  /** Flushes though the log held what was missed. */
  needlessFlushes: number
  /** No flush though the log did not. */
  missingFlushes: number
  flushes: number
  duplicates: number
  recoveryMs: number[]
  elapsedMs: number
  /** What went wrong, each with its seed; the first ones. */
  failures: string[]
}

/** How many faults of a class are injected when so many of each are asked for. */
export function faultsOf({ share = 1 }: FaultClass, count: number): number {
  return Math.ceil(share * count)
}

const maxFailures = 20

/** Injects faults of one class, each into a world in step, and looks what became of it. */
export async function runClass(
  system: System,
  kind: FaultClass,
  { count, seed, worlds, settleMs, entry, onProgress }: RunOptions,
): Promise<ClassResult> {
  const result: ClassResult = {
    name: kind.name,
    what: kind.what,
    faults: 0,
    writes: 0,
    rejected: 0,
    lost: 0,
    outOfStep: 0,
    needlessFlushes: 0,
    missingFlushes: 0,
    flushes: 0,
    duplicates: 0,
    recoveryMs: [],
    elapsedMs: 0,
    failures: [],
  }
  const began = performance.now()
  const total = faultsOf(kind, count)
  let next = 0
  const live = async () => {
    let world: World | undefined
    try {
      while (next < total) {
        const fault = seed + next
        next += 1
        world ??= await inTime(World.start(system, kind, entry), fault)
        const { verdicts, outcome } = await inTime(injectInto(world, kind, fault, settleMs), fault)
        const isWhole = judge(result, outcome, verdicts, fault)
        result.elapsedMs = performance.now() - began
        onProgress?.(result)
        if (isWhole) continue
        // What is stale would be found again: the next fault gets a world of its own.
        await world.stop()
        world = undefined
      }
    } finally {
      await world?.stop()
    }
  }
  const sideBySide = Math.max(worlds, kind.worlds ?? 0)
  await Promise.all(Array.from({ length: Math.min(sideBySide, total) }, live))
  return result
}

async function injectInto(
  world: World,
  kind: FaultClass,
  seed: number,
  settleMs: number,
): Promise<{ verdicts: FlushVerdict[]; outcome: Outcome }> {
  await world.fill()
  const verdict = await kind.inject(world, new Random(seed))
  const verdicts = typeof verdict === 'string' ? world.nodes.map(() => verdict) : verdict
  const mustFlush = verdicts.map(one => one === 'required')
  return { verdicts, outcome: await world.settle(settleMs, mustFlush) }
}

/** What never ends is a mistake of the harness, or of a system that never gets in step at first. */
async function inTime<T>(fault: Promise<T>, seed: number): Promise<T> {
  const timer = new AbortController()
  const late = delay(60_000, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`The fault with seed ${seed} did not end within 60 s`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([fault, late])
  } finally {
    timer.abort()
  }
}

/** Adds an outcome to the result. Answers whether the world is as it should be. */
function judge(result: ClassResult, outcome: Outcome, verdicts: FlushVerdict[], seed: number): boolean {
  const problems = outcome.lost.map(stale => `lost: ${stale}`)
  if (outcome.outOfStep > 0) problems.push(`${outcome.outOfStep} nodes are not in step again`)
  if (outcome.duplicates > 0) problems.push(`${outcome.duplicates} messages came twice`)
  for (const [index, reasons] of outcome.flushes.entries()) {
    if (!reasons) continue
    const verdict = verdicts[index]
    result.flushes += reasons.length
    if (verdict === 'forbidden' && reasons.length > 0) {
      result.needlessFlushes += reasons.length
      problems.push(`node ${index} flushed needlessly: ${reasons}`)
    }
    if (verdict === 'required' && reasons.length === 0) {
      result.missingFlushes += 1
      problems.push(`node ${index} did not flush`)
    }
  }
  result.faults += 1
  result.writes += outcome.writes
  result.rejected += outcome.rejected
  result.lost += outcome.lost.length
  result.outOfStep += outcome.outOfStep
  result.duplicates += outcome.duplicates
  result.recoveryMs.push(outcome.recoveryMs)
  for (const problem of problems)
    if (result.failures.length < maxFailures) result.failures.push(`seed ${seed}: ${problem}`)
  return outcome.lost.length + outcome.outOfStep === 0
}
