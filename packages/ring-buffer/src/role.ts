import type { Cursors } from './cursors.js'
import type { Doorbell } from './doorbell.js'

const NONE = -1

/**
 * One side of a ring: its own cursor, and the opposite one as it was last seen. The opposite cursor only
 * ever moves in this side's favour, so an old value understates the room, and is loaded anew only when it
 * promises too little (I5). Not for use by two threads at once.
 */
export class Role {
  readonly #cursors: Cursors
  readonly #producing: boolean
  /** Where the other side sleeps. */
  readonly #doorbell: Doorbell
  /** Whether the three below have been looked at yet. */
  #looked = false
  #own = 0
  #opposite = 0
  #position = 0
  #claimed = NONE

  constructor(cursors: Cursors, role: 'producer' | 'consumer') {
    this.#cursors = cursors
    this.#producing = role === 'producer'
    this.#doorbell = this.#producing ? cursors.readable : cursors.writable
  }

  get capacity(): number {
    return this.#cursors.capacity
  }

  /** Units this side may touch from `position` on: at least `wanted` if there are as many, or else all. */
  room(wanted: number): number {
    const own = this.#producing ? this.#cursors.ownWrite() : this.#cursors.ownRead()
    if (own === this.#own && this.#looked) {
      const room = this.#measure()
      if (room >= wanted) return room
    } else {
      // Another object has played this role since: what this one saw may be a lap old.
      this.#looked = true
      this.#own = own
      this.#position = this.#cursors.positionOf(own)
    }
    this.#opposite = this.#producing ? this.#cursors.loadRead() : this.#cursors.loadWrite()
    return this.#measure()
  }

  /** Where in the data the room begins. */
  get position(): number {
    return this.#position
  }

  /**
   * Hands the first `units` of the room to the other side, and wakes it; what was claimed is void. 0 is nothing.
   * `false` when the other side has left for good.
   */
  publish(units: number): boolean {
    if (units === 0) return true
    this.#claimed = NONE
    this.#own = this.#producing
      ? this.#cursors.publishWrite(this.#own, units)
      : this.#cursors.publishRead(this.#own, units)
    // Kept in step here: a remainder costs more, and most where a count has grown beyond 31 bits.
    const position = this.#position + units
    this.#position = position < this.#cursors.capacity ? position : position - this.#cursors.capacity
    const heard = this.#doorbell.ring()
    if (!heard && !this.#producing) this.#doorbell.wake() // no producer leaves: something else has written to it
    return heard
  }

  /** Bytes that the caller holds views of, to be settled; -1 when there is no claim. */
  get claimed(): number {
    return this.#claimed
  }

  claim(bytes: number): void {
    this.#claimed = bytes
  }

  /** Ends the claim and publishes `bytes` of it; 0 publishes nothing. */
  settle(bytes: number): void {
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= this.#claimed)) {
      const [verb, claimed] = this.#producing ? ['commit', 'reserved'] : ['consume', 'peeked']
      throw new RangeError(
        this.#claimed === NONE
          ? `Cannot ${verb} ${String(bytes)} bytes: nothing is ${claimed}`
          : `Cannot ${verb} ${String(bytes)} bytes: must be an integer from 0 to the ${this.#claimed} ${claimed}`,
      )
    }
    this.#claimed = NONE
    this.publish(bytes)
  }

  #measure(): number {
    if (!this.#producing) return this.#cursors.between(this.#opposite, this.#own)
    return this.#cursors.capacity - this.#cursors.between(this.#own, this.#opposite)
  }
}
