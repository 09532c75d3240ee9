import { parseArgs } from 'node:util'

export interface RunOptions<Part extends string> {
  rounds: number
  /** Less of each, to see whether it runs. */
  quick: boolean
  parts: Set<Part>
  /** Whether everything is measured at its full length, so that the results are worth keeping. */
  isComplete: boolean
  /** Whether they are kept, complete or not. */
  writes: boolean
}

/** `--quick --rounds 3 --parts a,b --write`. Throws `TypeError` for what it doesn't know. */
export function parseRunOptions<Part extends string>(
  known: readonly Part[],
  { full, quick }: { full: number; quick: number },
  args: string[] = process.argv.slice(2),
): RunOptions<Part> {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      parts: { type: 'string' },
      rounds: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds ?? (values.quick ? quick : full))
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds takes integers, got ${values.rounds}`)
  const parts = values.parts?.split(',').map(text => {
    const part = known.find(one => one === text)
    if (part === undefined) throw new TypeError(`--parts takes ${known.join(', ')}, got ${text}`)
    return part
  })
  if (values.write && parts) throw new TypeError('--write takes no --parts: results are written whole')
  const isComplete = !values.quick && values.rounds === undefined && parts === undefined
  return {
    rounds,
    quick: values.quick,
    parts: new Set(parts ?? known),
    isComplete,
    writes: values.write || isComplete,
  }
}
