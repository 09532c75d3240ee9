/** Counts what this thread does with `Atomics`, from here to {@link stop}. */
export class CallCounts {
  /** Calls of `Atomics.notify`. */
  notifies = 0
  /** Calls of `Atomics.wait` that did sleep. */
  sleeps = 0
  readonly #notify = Atomics.notify
  readonly #wait = Atomics.wait

  constructor() {
    const notify = this.#notify as (words: unknown, index: number, count?: number) => number
    const wait = this.#wait as (words: unknown, ...rest: unknown[]) => 'ok' | 'not-equal' | 'timed-out'
    Atomics.notify = (words, index, count) => {
      this.notifies++
      return notify(words, index, count)
    }
    Atomics.wait = (words: unknown, ...rest: unknown[]) => {
      const woken = wait(words, ...rest)
      if (woken !== 'not-equal') this.sleeps++
      return woken
    }
  }

  stop(): void {
    Atomics.notify = this.#notify
    Atomics.wait = this.#wait
  }
}
