import { seededRandom } from '@scratchyjs/tooling/random'

/** Random choices that a seed decides. */
export class Random {
  /** 0 to below 1. */
  readonly next: () => number

  constructor(seed: number) {
    this.next = seededRandom(seed)
    // Neighbouring seeds begin with similar numbers.
    for (let i = 0; i < 3; i += 1) this.next()
  }

  /** A whole number, both ends included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)] as T
  }

  /** Some of them, at least one. */
  some<T>(list: readonly T[]): T[] {
    const sure = this.int(0, list.length - 1)
    return list.filter((_, index) => this.chance(0.5) || index === sure)
  }
}
