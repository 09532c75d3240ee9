import type { Doorbell } from './doorbell.js'
import type { PeerWatch } from './peer.js'
import { type Condition, requireWaitOptions, type WaitOptions, waitUntil, waitUntilAsync } from './wait.js'

/**
 * The calls of one side that wait for the other: each is tried again whenever the side is woken, and gets its
 * turn in the order in which they were made.
 */
export class WaitingLine {
  readonly #doorbell: Doorbell
  readonly #spin: number
  readonly #peer: PeerWatch | undefined
  readonly #line: object[] = []

  constructor(doorbell: Doorbell, { spin, peer }: { spin: number; peer: PeerWatch | undefined }) {
    this.#doorbell = doorbell
    this.#spin = spin
    this.#peer = peer
  }

  /** How many calls wait without blocking. */
  get length(): number {
    return this.#line.length
  }

  /** Blocks until `attempt` answers something, and answers that; `undefined` when time is up. */
  wait<T>(attempt: () => T | undefined, options: WaitOptions): T | undefined {
    if (this.#line.length > 0) {
      throw new TypeError(`Cannot block: ${this.#line.length} asynchronous calls would never get their turn`)
    }
    requireWaitOptions(options)
    const result = attempt() // most often there is nothing to wait for
    return result === undefined ? this.#block(attempt, options) : result
  }

  /** {@link wait} without blocking. Rejects with what `attempt` throws, and when the signal is aborted. */
  async waitAsync<T>(attempt: () => T | undefined, options: WaitOptions): Promise<T | undefined> {
    requireWaitOptions(options)
    if (this.#line.length === 0) {
      const result = attempt()
      if (result !== undefined) return result
    }
    const ticket = {}
    const wake = (): void => this.wake()
    let result: T | undefined
    const holds = (): boolean => {
      if (this.#line[0] !== ticket) return false
      result = attempt()
      if (result === undefined) return false
      this.#line.shift()
      return true
    }
    this.#line.push(ticket)
    this.#peer?.add(wake)
    try {
      await waitUntilAsync(this.#condition(holds), options)
      return result
    } finally {
      this.#peer?.delete(wake)
      const place = this.#line.indexOf(ticket)
      if (place >= 0) {
        this.#line.splice(place, 1)
        this.wake() // whoever was behind may be able to go on
      }
    }
  }

  /** Has this side's own waiting calls tried again. */
  wake(): void {
    if (this.#line.length > 0) this.#doorbell.wake()
  }

  #block<T>(attempt: () => T | undefined, options: WaitOptions): T | undefined {
    let result: T | undefined
    const holds = (): boolean => {
      result = attempt()
      return result !== undefined
    }
    waitUntil(this.#condition(holds), options)
    return result
  }

  #condition(holds: () => boolean): Condition {
    return { doorbell: this.#doorbell, holds, spin: this.#spin }
  }
}
