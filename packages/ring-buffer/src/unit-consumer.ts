import type { PaddedRing } from './padded-layout.js'
import { RingConsumer } from './ring-consumer.js'
import type { WaitOptions } from './wait.js'
import type { SideOptions } from './writer-side.js'

/** What the reading sides of slot rings have in common: values of one size, each in a slot of its own. */
export abstract class UnitConsumer<T> extends RingConsumer {
  /** How many values may be under way. */
  readonly slots: number
  #draining = false

  /** @internal */
  constructor(ring: PaddedRing, options: SideOptions) {
    super(ring, options)
    this.slots = ring.cursors.capacity
  }

  /**
   * Calls `fn` with every value that is there now, and gives their slots back to the producer at once afterwards.
   * Answers how many there were: 0 also at the end (`pop` tells which). When `fn` throws, so does `drain`; that
   * value counts as taken, those behind it stay. Within `fn` this consumer can't pop: `TypeError`.
   */
  drain(fn: (value: T) => void): number {
    if (typeof fn !== 'function') throw new TypeError(`fn must be a function, got ${typeof fn}`)
    this.#requireNotDraining()
    const available = this.side.available(this.slots) ?? 0
    const { role } = this.side
    let slot = role.position
    let count = 0
    this.#draining = true
    try {
      while (count < available) {
        count++
        fn(this.at(slot))
        if (++slot === this.slots) slot = 0
      }
    } finally {
      this.#draining = false
      role.publish(count)
    }
    return count
  }

  /**
   * Blocks its thread until `pop` has something to tell: a value, the end or the writer's error (`true`), or until
   * `timeoutMs` is over (`false`). A blocked thread hears neither `signal` nor `peer`: both are looked at before.
   *
   * Throws `TypeError` while `waitReadableAsync` waits, as that would never end, and `RingBufferError`
   * `WAIT_NOT_ALLOWED` where a thread must not block.
   */
  waitReadable(options: WaitOptions = {}): boolean {
    return this.side.line.wait(() => this.#readable(), options) ?? false
  }

  /** {@link waitReadable} without blocking; keeps the thread alive. Rejects with the reason of `signal`. */
  async waitReadableAsync(options: WaitOptions = {}): Promise<boolean> {
    return (await this.side.line.waitAsync(() => this.#readable(), options)) ?? false
  }

  /** @internal The slot that is next to be taken; `undefined` when there is none yet, `null` at the end. */
  protected next(): number | undefined | null {
    this.#requireNotDraining()
    const available = this.side.available(1)
    return available ? this.side.role.position : (available as undefined | null)
  }

  /** @internal What is in a slot. */
  protected abstract at(slot: number): T

  #readable(): true | undefined {
    return this.side.available(1) !== undefined || undefined
  }

  #requireNotDraining(): void {
    if (this.#draining) throw new TypeError('Cannot pop within drain: its slots are not given back yet')
  }
}
