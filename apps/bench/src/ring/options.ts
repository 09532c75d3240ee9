import { parseArgs } from 'node:util'

/** Bytes of a message. */
export const SIZES: number[] = [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576]
const PARTS = ['throughput', 'round-trips', 'counts'] as const
type Part = (typeof PARTS)[number]

export interface Options {
  rounds: number
  /** How long one measurement should take, in milliseconds. */
  milliseconds: number
  sizes: number[]
  /** Whether a contender takes part. */
  only(name: string): boolean
  parts: Set<Part>
  /** Whether everything is measured at its full length, so that the results are worth keeping. */
  complete: boolean
}

/** Throws `TypeError` for what it doesn't know. */
export function parseOptions(args: string[]): Options {
  const { rounds, quick, only, sizes, parts } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      sizes: { type: 'string' },
      parts: { type: 'string' },
    },
  }).values
  const filtered = only !== undefined || sizes !== undefined
  const prefixes = only?.split(',')
  return {
    // The machine may change within seconds: many short rounds say more than few long ones.
    rounds: integer('--rounds', rounds ?? (quick ? '5' : '25'), 1, 1000),
    milliseconds: quick ? 30 : 50,
    sizes: sizes?.split(',').map(powerOfTwo) ?? SIZES,
    only: name => prefixes?.some(prefix => name.startsWith(prefix)) ?? true,
    parts: new Set(parts?.split(',').map(partOf) ?? (filtered ? (['throughput'] as const) : PARTS)),
    complete: !filtered && !quick && parts === undefined,
  }
}

function integer(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new TypeError(`${option} takes integers from ${least} to ${most}, got ${text}`)
}

/** The capacities go with the sizes, and the reference ring's are powers of two. */
function powerOfTwo(text: string): number {
  const size = integer('--sizes', text, 16, 2 ** 20)
  if ((size & (size - 1)) === 0) return size
  throw new TypeError(`--sizes takes powers of two, got ${text}`)
}

function partOf(text: string): Part {
  const part = PARTS.find(known => known === text)
  if (part) return part
  throw new TypeError(`--parts takes ${PARTS.join(', ')}, got ${text}`)
}
