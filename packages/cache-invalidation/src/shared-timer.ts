/**
 * One timer for many deadlines that are seldom reached. It is set for the earliest, and left as it is when what had that
 * deadline is done: a timer for each would cost more than sending does.
 */
export class SharedTimer {
  readonly #sweep: (now: number) => number
  #timer: NodeJS.Timeout | undefined
  #setFor = Number.POSITIVE_INFINITY
  #keepsAlive = false

  /**
   * @param sweep does what is due at `now`, by `performance.now()`, and answers the earliest deadline that is left, or
   * Infinity
   */
  constructor(sweep: (now: number) => number) {
    this.#sweep = sweep
  }

  /** Sweeps at this moment at the latest. */
  setFor(deadline: number): void {
    if (deadline >= this.#setFor) return
    clearTimeout(this.#timer)
    this.#setFor = deadline
    // After a thread was busy for long the timer comes first, though the answer has arrived: let the sockets be
    // read once.
    this.#timer = setTimeout(() => setImmediate(() => this.#ring()), Math.ceil(deadline - performance.now()))
    if (!this.#keepsAlive) this.#timer.unref()
  }

  /** Whether the process lives until the sweep. */
  keepAlive(keepsAlive: boolean): void {
    if (keepsAlive === this.#keepsAlive) return
    this.#keepsAlive = keepsAlive
    if (keepsAlive) this.#timer?.ref()
    else this.#timer?.unref()
  }

  #ring(): void {
    this.#timer = undefined
    this.#setFor = Number.POSITIVE_INFINITY
    this.setFor(this.#sweep(performance.now()))
  }
}
