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
  /** Bytes that a ring holds, or four messages where that is more. */
  capacity: number
  /** Whether a contender takes part. */
  only(name: string): boolean
  parts: Set<Part>
  /** Whether everything is measured at its full length, so that the results are worth keeping. */
  complete: boolean
}

/** Throws `TypeError` for what it doesn't know. */
export function parseOptions(args: string[]): Options {
  const { rounds, quick, only, sizes, capacity, parts } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      sizes: { type: 'string' },
      capacity: { type: 'string' },
      parts: { type: 'string' },
    },
  }).values
  const filtered = [only, sizes, capacity].some(option => option !== undefined)
  const prefixes = only?.split(',')
  return {
    // The machine may change within seconds: many short rounds say more than few long ones.
    rounds: integer('--rounds', rounds ?? (quick ? '5' : '25'), 1, 1000),
    milliseconds: quick ? 30 : 50,
    sizes: sizes?.split(',').map(size => powerOfTwo('--sizes', size, 16, 2 ** 20)) ?? SIZES,
    // What thread-stream has by itself. A core's own cache holds less, so that what one thread wrote long ago is in
    // the cache that all cores share, and not still in the other core's.
    capacity: powerOfTwo('--capacity', capacity ?? '4194304', 4096, 2 ** 24),
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

/** The reference ring's capacities are powers of two, and every ring should hold whole messages. */
function powerOfTwo(option: string, text: string, least: number, most: number): number {
  const value = integer(option, text, least, most)
  if ((value & (value - 1)) === 0) return value
  throw new TypeError(`${option} takes powers of two, got ${text}`)
}

function partOf(text: string): Part {
  const part = PARTS.find(known => known === text)
  if (part) return part
  throw new TypeError(`--parts takes ${PARTS.join(', ')}, got ${text}`)
}
