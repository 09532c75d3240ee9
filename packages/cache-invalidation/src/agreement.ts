/**
 * Whether a subscription is in step with its log, and when it was last seen to be: what a cache goes by.
 * Moments are those of `performance.now()`.
 */
export class Agreement {
  #holds = false
  #last = Number.NEGATIVE_INFINITY

  /** Nothing is known to have been missed. */
  get holds(): boolean {
    return this.#holds
  }

  /** Up to when nothing was missed: the beginning of the last look that showed so. */
  get last(): number {
    return this.#last
  }

  /** A look at the log, begun at that moment, showed nothing that has not been handed over. */
  confirm(lookBegan: number): void {
    this.#holds = true
    this.#last = lookBegan
  }

  /** Something was missed, or may have been. `last` stays: the failure is older than its discovery. */
  lose(): void {
    this.#holds = false
  }
}
