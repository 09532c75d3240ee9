import type { Cursors } from './cursors.js'
import type { Doorbell } from './doorbell.js'

const NONE = -1
const UNKNOWN = -1

/**
 * One side of a ring: its own cursor, and its room as of the opposite one when that was last seen. The opposite
 * cursor only ever moves in this side's favour, so what is left of that room understates it, and is looked at anew
 * only when it is too little (I5). Not for use by two threads at once.
 */
export class Role {
  readonly #cursors: Cursors
  readonly #producing: boolean
  /** Where the other side sleeps. */
  readonly #doorbell: Doorbell
  #own = 0
  #position = 0
  #room = UNKNOWN
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
    if (own === this.#own && this.#room >= wanted) return this.#room
    return this.#look(own)
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
    this.#room -= units
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

  #look(own: number): number {
    this.#room = UNKNOWN // for good when the cursors can't be right
    if (own !== this.#own) {
      // Another object has played this role since: what this one saw may be a lap old.
      this.#own = own
      this.#position = this.#cursors.positionOf(own)
    }
    this.#room = this.#producing
      ? this.#cursors.capacity - this.#cursors.between(own, this.#cursors.loadRead())
      : this.#cursors.between(this.#cursors.loadWrite(), own)
    return this.#room
  }
}
