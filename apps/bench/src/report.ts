import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { Figure } from './figure.js'
import { threeDigits } from './units.js'

export interface Machine {
  cpu: string | undefined
  cores: number
  node: string
}

export function thisMachine(): Machine {
  return { cpu: cpus()[0]?.model, cores: cpus().length, node: process.versions.node }
}

export function machineName({ cpu, cores, node }: Machine): string {
  return `${cpu}, ${cores} cores, Node ${node}`
}

/** Writes `<name>.json`, the plot if there is one, and the tables between the README's markers of that name. */
export async function writeResults(
  name: string,
  { results, picture, tables }: { results: unknown; picture?: string; tables: string },
): Promise<void> {
  const folder = new URL('../results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL(`${name}.json`, folder), json(results))
  if (picture) await writeFile(new URL(`${name}.svg`, folder), picture)
  await writeReadme(new URL('../README.md', import.meta.url), name, tables)
}

/** Four digits of each fraction, while sizes and counts stay exact, and arrays of numbers on one line. */
function json(value: unknown): string {
  const digits = (_key: string, field: unknown): unknown =>
    typeof field === 'number' && !Number.isInteger(field) ? Number(field.toPrecision(4)) : field
  const lines = JSON.stringify(value, digits, 2)
  return `${lines.replace(/\[\s+([\d.,\se+-]+?)\s+\]/g, (_array, items: string) => `[${items.replace(/\s+/g, ' ')}]`)}\n`
}

async function writeReadme(file: URL, name: string, tables: string): Promise<void> {
  const [first, last] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
  const text = await readFile(file, 'utf8')
  const start = text.indexOf(first)
  const end = text.indexOf(last)
  if (start < 0 || end < start) throw new Error(`Cannot write the tables: ${file} has no ${first} … ${last}`)
  await writeFile(file, `${text.slice(0, start + first.length)}\n\n${tables}\n\n${text.slice(end)}`)
}

/** `2.10 (1.98–2.31)`; a count has no range. */
function range({ value, min, max }: Figure): string {
  return min === max ? threeDigits(value) : `${threeDigits(value)} (${threeDigits(min)}–${threeDigits(max)})`
}

const targetOf = ({ direction, target }: Figure): string =>
  `${direction === 'at least' ? '≥' : '≤'} ${target}`

export function printFigures(figures: Figure[]): void {
  console.log('\nFigures')
  for (const figure of figures) {
    console.log(
      `${figure.what.padEnd(68)}  ${targetOf(figure).padEnd(8)}  ${range(figure).padEnd(24)}  ${figure.met ? 'met' : 'MISSED'}`,
    )
  }
}

/** How something was measured. */
export interface Conditions {
  machine: Machine
  rounds: number
  /** Too short for its figures to mean much. */
  quick?: boolean
}

/** Each figure, its target, and whether it was met; then how that came out. */
export function figureTable(
  figures: Figure[],
  { machine, rounds, quick }: Conditions,
  ...remarks: string[]
): string {
  if (quick) remarks.push('a quick run, which says little')
  const missed = figures.filter(({ met }) => !met).length
  return [
    table(
      ['what', 'target', 'median (min–max)', ''],
      figures.map(figure => [
        figure.what,
        targetOf(figure),
        range(figure),
        figure.met ? 'met' : '**missed**',
      ]),
    ),
    `${figures.length - missed} met, ${missed} missed. Ratios of one round each, median of ${rounds} interleaved rounds; ${[machineName(machine), ...remarks].join('; ')}.`,
  ].join('\n\n')
}

export function table(header: string[], rows: string[][]): string {
  return [header, header.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
