import { readFile, writeFile } from 'node:fs/promises'
import { median } from '../rounds.js'
import type { Figure, Results } from './figures.js'
import { formatBytes, formatRate, threeDigits } from './units.js'

export interface Machine {
  cpu: string | undefined
  cores: number
  node: string
}

/** Four digits of each fraction, while sizes and counts stay exact, and arrays of numbers on one line. */
export function json(value: unknown): string {
  const digits = (_key: string, field: unknown): unknown =>
    typeof field === 'number' && !Number.isInteger(field) ? Number(field.toPrecision(4)) : field
  const lines = JSON.stringify(value, digits, 2)
  return `${lines.replace(/\[\s+([\d.,\se+-]+?)\s+\]/g, (_array, items: string) => `[${items.replace(/\s+/g, ' ')}]`)}\n`
}

/** Puts the tables between the markers of the README that have this name. */
export async function writeReadme(file: URL, name: string, tables: string): Promise<void> {
  const [first, last] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
  const text = await readFile(file, 'utf8')
  const start = text.indexOf(first)
  const end = text.indexOf(last)
  if (start < 0 || end < start) throw new Error(`Cannot write the tables: ${file} has no ${first} … ${last}`)
  await writeFile(file, `${text.slice(0, start + first.length)}\n\n${tables}\n\n${text.slice(end)}`)
}

/** How it was measured. */
export interface Conditions {
  machine: Machine
  rounds: number
  /** Measurements that other processes disturbed, each time they were repeated. */
  disturbed: number
}

/** The figures, then throughput and round trips, as Markdown. */
export function markdown(
  results: Results,
  figures: Figure[],
  { machine, rounds, disturbed }: Conditions,
): string {
  const { throughput, roundTrips } = results
  const sizes = [...new Set(throughput.map(({ size }) => size))]
  const contenders = [...new Set(throughput.map(({ contender }) => contender))]
  const missed = figures.filter(({ met }) => !met).length
  return [
    figureTable(figures),
    `${figures.length - missed} met, ${missed} missed. Ratios of one round each, median of ${rounds} interleaved rounds; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}${disturbed > 0 ? `; other processes disturbed ${disturbed} measurements` : ''}.`,
    'Bytes of payload per second, medians:',
    table(
      ['', ...sizes.map(formatBytes)],
      contenders.map(contender => [
        contender,
        ...sizes.map(size => {
          const one = throughput.find(found => found.contender === contender && found.size === size)
          return one ? `${formatRate(median(one.messagesPerSecond) * size)}B` : ''
        }),
      ]),
    ),
    'Round trips, medians of the rounds:',
    table(
      ['', 'p50', 'p99', 'mean'],
      roundTrips.map(({ contender, rounds }) => [
        contender,
        ...(['p50', 'p99', 'mean'] as const).map(
          key => `${threeDigits(median(rounds.map(round => round[key])))} µs`,
        ),
      ]),
    ),
  ].join('\n\n')
}

/** `2.10 (1.98–2.31)`; a count has no range. */
export function range({ value, min, max }: Figure): string {
  return min === max ? threeDigits(value) : `${threeDigits(value)} (${threeDigits(min)}–${threeDigits(max)})`
}

/** Each figure, its target, and whether it was met. */
export function figureTable(figures: Figure[]): string {
  return table(
    ['what', 'target', 'median (min–max)', ''],
    figures.map(figure => [
      figure.what,
      `${figure.direction === 'at least' ? '≥' : '≤'} ${figure.target}`,
      range(figure),
      figure.met ? 'met' : '**missed**',
    ]),
  )
}

export function table(header: string[], rows: string[][]): string {
  return [header, header.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
