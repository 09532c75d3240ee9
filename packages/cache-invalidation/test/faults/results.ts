import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { DefaultTimes } from './defaults.js'
import type { ClassResult } from './run-class.js'

/** What a run was made with. */
export interface Conditions {
  count: number
  seed: number
  settleMs: number
  worlds: number
  /** Name and version of the server. */
  redis: string
}

/** All classes of one system. */
export interface SystemResults {
  system: string
  results: ClassResult[]
}

export function isClean({
  lost,
  outOfStep,
  needlessFlushes,
  missingFlushes,
  duplicates,
}: ClassResult): boolean {
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

/** What a run was made with, as a line. */
export function headline({ seed, redis }: Conditions): string {
  const machine = `${cpus()[0]?.model}, ${cpus().length} cores`
  const day = new Date().toISOString().slice(0, 10)
  return `${machine}, Node ${process.versions.node}, ${redis}, ${day}; \`FAULTS_SEED=${seed}\`.\n`
}

/** A Markdown table of one system. */
export function resultTable({ results }: SystemResults, { settleMs }: Conditions): string {
  const rows = results.map(result => {
    const { name, what, faults, writes, rejected, lost, outOfStep, flushes, elapsedMs } = result
    const { needlessFlushes, missingFlushes, duplicates, recoveryMs } = result
    const times = [0.5, 0.99, 1].map(share => quantile(recoveryMs, share).toFixed(0)).join(' / ')
    const counts = [faults, writes - rejected, `**${lost}**`, outOfStep, flushes, needlessFlushes]
    const seconds = (elapsedMs / 1000).toFixed(0)
    return row([`**${name}**: ${what}`, ...counts, missingFlushes, duplicates, times, seconds])
  })
  const late = `not in step within ${settleMs / 1000} s`
  const flushes = ['flushes', 'needless', 'missing']
  const heads = ['class', 'faults', 'writes acknowledged', 'lost', late, ...flushes, 'twice']
  return table([...heads, 'whole again, ms: p50 / p99 / max', 's'], rows)
}

/** A Markdown table of what several systems lost. */
export function lossTable(runs: readonly SystemResults[]): string {
  const most = runs.reduce((one, other) => (other.results.length > one.results.length ? other : one))
  const rows = most.results.map(({ name }) => {
    const lost = runs.map(({ results }) => {
      const result = results.find(one => one.name === name)
      return result ? `${result.lost} in ${result.faults}` : '–'
    })
    return row([name, ...lost])
  })
  return table(['lost invalidations', ...runs.map(({ system }) => system)], rows)
}

function table(heads: readonly string[], rows: readonly string[]): string {
  return [
    row(heads),
    `|---|${heads
      .slice(1)
      .map(() => '---:|')
      .join('')}`,
    ...rows,
    '',
  ].join('\n')
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`
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
