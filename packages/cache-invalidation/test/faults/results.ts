import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { DefaultTimes } from './defaults.js'
import type { ClassResult } from './run-class.js'

/** What a run was made with. */
export interface Conditions {
  system: string
  redis: string
  seed: number
  settleMs: number
}

export function isClean({ lost, outOfStep, needlessFlushes, missingFlushes, duplicates }: ClassResult): boolean {
  return lost + outOfStep + needlessFlushes + missingFlushes + duplicates === 0
}

/** The value that a share of the values doesn't exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

/** One line about a class that runs, or has run. */
export function progressLine(result: ClassResult, total: number): string {
  const { name, faults, lost, needlessFlushes, elapsedMs } = result
  return `${name.padEnd(34)} ${faults}/${total}  lost ${lost}  needless flushes ${needlessFlushes}  ${(elapsedMs / 1000).toFixed(1)} s`
}

/** A Markdown table, and what it was made with. */
export function resultTable(results: readonly ClassResult[], { system, redis, seed, settleMs }: Conditions): string {
  const rows = results.map(result => {
    const { name, faults, writes, rejected, lost, outOfStep, flushes } = result
    const { needlessFlushes, missingFlushes, duplicates, recoveryMs } = result
    const times = [0.5, 0.99, 1].map(share => quantile(recoveryMs, share).toFixed(0)).join(' / ')
    return `| ${[name, faults, writes - rejected, `**${lost}**`, outOfStep, flushes, needlessFlushes, missingFlushes, duplicates, times].join(' | ')} |`
  })
  return `System: ${system}. ${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}, ${redis}, ${new Date().toISOString().slice(0, 10)}; \`FAULTS_SEED=${seed}\`.

| class | faults | acknowledged writes | lost | not in step after ${settleMs / 1000} s | flushes | needless | missing | duplicates | whole again, ms: p50 / p99 / max |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
${rows.join('\n')}
`
}

/** What was measured with default settings, against what is promised. */
export function defaultsList(times: DefaultTimes): string {
  const { rounds, halfOpenNoticedMs, halfOpenMendedMs, inStepAfterThousandMs } = times
  return `With default settings, the longest of ${rounds}: a half-open connection was noticed after ${ms(halfOpenNoticedMs)} (promised: 3 s), and in step
again after ${ms(halfOpenMendedMs)}; with 1000 messages missed, in step ${ms(inStepAfterThousandMs)} after the new connection was ready (promised: 250 ms).
`
}

function ms(time: number): string {
  return `${time.toFixed(0)} ms`
}

/** Writes a text between the page's markers `<!-- faults:<name> -->` and `<!-- /faults:<name> -->`. */
export async function writeResults(file: string, name: string, text: string): Promise<void> {
  const page = await readFile(file, 'utf8')
  const [begin, end] = [`<!-- faults:${name} -->`, `<!-- /faults:${name} -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no markers ${begin} and ${end}`)
  await writeFile(file, `${page.slice(0, from + begin.length)}\n${text}${page.slice(to)}`)
}
