/** Whole numbers below `sides`, the same ones for the same seed. */
export type Dice = (sides: number) => number

export function dice(seed: number): Dice {
  let state = seed | 0 || 1
  return sides => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % sides
  }
}
