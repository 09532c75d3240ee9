import { median } from './rounds.js'

/** One figure to reach. */
export interface Figure {
  what: string
  /** What the figure should be at least, or at most. */
  target: number
  direction: 'at least' | 'at most'
  /** Median, smallest and largest of the rounds; for counts all three are the count. */
  value: number
  min: number
  max: number
  met: boolean
}

/** Round by round. */
export function ratios(ours: number[], theirs: number[]): number[] {
  return theirs.length === 0 ? [] : ours.map((value, round) => value / (theirs[round] as number))
}

/** Of the rounds' values; undefined when there are none. */
export function figure(
  what: string,
  direction: Figure['direction'],
  target: number,
  values: number[],
): Figure | undefined {
  if (values.length === 0) return undefined
  const value = median(values)
  const met = direction === 'at least' ? value >= target : value <= target
  return { what, target, direction, value, min: Math.min(...values), max: Math.max(...values), met }
}
