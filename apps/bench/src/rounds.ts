/** The middle value; the mean of the two middle ones for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2
}

/** The smallest value that `part` of all are not above. */
export function percentile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] as number
}

/**
 * Measures every contender once a round, in an order that turns with each round, so that what the machine does
 * meanwhile meets all of them alike. The first round warms up and is not counted.
 */
export async function interleave<Name extends string, Value>(
  contenders: Record<Name, () => Promise<Value>>,
  rounds: number,
): Promise<Record<Name, Value[]>> {
  const names = Object.keys(contenders) as Name[]
  const results = Object.fromEntries(names.map(name => [name, [] as Value[]])) as Record<Name, Value[]>
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length] as Name
      const value = await contenders[name]()
      if (round > 0) results[name].push(value)
    }
  }
  return results
}
