import type { PaddedRing } from './padded-layout.js'
import { RingProducer } from './ring-producer.js'
import type { WaitOptions } from './wait.js'
import type { SideOptions } from './writer-side.js'

/** What the writing sides of slot rings have in common: values of one size, each in a slot of its own. */
export abstract class UnitProducer<T> extends RingProducer {
  /** How many values may be under way. */
  readonly slots: number

  /** @internal */
  constructor(ring: PaddedRing, options: SideOptions) {
    super(ring, options)
    this.slots = ring.cursors.capacity
  }

  /**
   * Puts a copy of the value into the ring; `false` when all slots are taken.
   *
   * Throws `TypeError` for what is no such value, and after `end` or `fail`; `RingBufferError` with `CANCELLED`
   * once the reader has cancelled (its reason is the `cause`), with `PEER_GONE` once `peer` has ended, with
   * `CORRUPT_HEADER` when the cursors can't be right.
   */
  push(value: T): boolean {
    this.requireValue(value)
    if (this.side.room(1) === 0) return false
    this.put(this.side.role.position, value)
    this.side.publish(1)
    return true
  }

  /**
   * Blocks its thread until a slot is free (`true`) or `timeoutMs` is over (`false`). A blocked thread hears
   * neither `signal` nor `peer`: both are looked at before.
   *
   * Throws like {@link push}, `TypeError` while `waitWritableAsync` waits, as that would never end, and
   * `RingBufferError` `WAIT_NOT_ALLOWED` where a thread must not block.
   */
  waitWritable(options: WaitOptions = {}): boolean {
    return this.side.line.wait(() => this.#writable(), options) ?? false
  }

  /** {@link waitWritable} without blocking; keeps the thread alive. Rejects with the reason of `signal`. */
  async waitWritableAsync(options: WaitOptions = {}): Promise<boolean> {
    return (await this.side.line.waitAsync(() => this.#writable(), options)) ?? false
  }

  /** @internal Throws unless it is a value of this ring. */
  protected abstract requireValue(value: T): void
  /** @internal */
  protected abstract put(slot: number, value: T): void

  #writable(): true | undefined {
    return this.side.room(1) > 0 || undefined
  }
}
