import { SharedBufferError } from './errors.js'
import type { SharedBuffer } from './mailbox.js'
import { attachPoolMemory, controlWord, MAX_GENERATION, type PoolMemory, SlotState } from './pool-layout.js'
import { describe } from './shared-memory.js'
import { rejectWaits } from './wait.js'

/** A pool as a thread sees it that uses slots but doesn't lease them. */
export interface AttachedPool {
  /** Number of slots. */
  readonly slots: number
  /** Payload bytes of each. */
  readonly slotSize: number
  /**
   * Takes the slot that the owner leased as `generation`; while it is claimed the owner can't free it. Never
   * waits. Undefined: that lease was released or revoked, or is claimed already.
   * @throws {RangeError} when there is no such slot, or no such generation.
   */
  claim(index: number, generation: number): SlotClaim | undefined
}

/** A slot in use by the claiming thread. */
export interface SlotClaim {
  /**
   * The slot's memory. Keep no view on it beyond {@link finish}.
   * @throws {SharedBufferError} `CLAIM_ENDED` after `finish`, or when the owner revoked the lease.
   */
  readonly mailbox: SharedBuffer
  /**
   * Gives the slot back to its lease. Reads and writes of this thread that still wait in the mailbox reject with
   * `CLAIM_ENDED`.
   * @returns false when the owner revoked the lease meanwhile: what was written reaches nobody.
   * @throws {SharedBufferError} `CLAIM_ENDED` the second time.
   */
  finish(): boolean
}

/**
 * The pool in the memory that its owner handed out. Any thread may call it, the owner's too.
 * @throws {TypeError} when `buffer` is no SharedArrayBuffer, or a growable one.
 * @throws {RangeError} when there is no pool in it, one of another version, or one of another size.
 */
export function attachSharedBufferPool(buffer: SharedArrayBuffer): AttachedPool {
  return new Attachment(attachPoolMemory(buffer))
}

class Attachment implements AttachedPool {
  readonly #memory: PoolMemory

  constructor(memory: PoolMemory) {
    this.#memory = memory
  }

  get slots(): number {
    return this.#memory.slots
  }

  get slotSize(): number {
    return this.#memory.slotSize
  }

  claim(index: number, generation: number): SlotClaim | undefined {
    requireIndex('index', index, this.#memory.slots - 1)
    requireIndex('generation', generation, MAX_GENERATION)
    const leased = controlWord(generation, SlotState.LEASED)
    const claimed = controlWord(generation, SlotState.CLAIMED)
    // I10: one thread gets it, and only while this very lease is live; pairs with acquire and release.
    const found = Atomics.compareExchange(this.#memory.words, this.#memory.controlAt(index), leased, claimed)
    return found === leased ? new Claim(this.#memory, index, generation) : undefined
  }
}

class Claim implements SlotClaim {
  readonly #memory: PoolMemory
  readonly #index: number
  readonly #generation: number
  #finished = false

  constructor(memory: PoolMemory, index: number, generation: number) {
    this.#memory = memory
    this.#index = index
    this.#generation = generation
  }

  get mailbox(): SharedBuffer {
    // I10: the claim is good while the word says so; after a revocation it never says so again.
    const word = Atomics.load(this.#memory.words, this.#memory.controlAt(this.#index))
    if (this.#finished || word !== controlWord(this.#generation, SlotState.CLAIMED)) throw this.#ended()
    return this.#memory.mailbox(this.#index)
  }

  finish(): boolean {
    if (this.#finished) throw this.#ended()
    this.#finished = true
    const { words } = this.#memory
    rejectWaits(this.#memory.mailbox(this.#index).status, () => this.#ended())
    const claimed = controlWord(this.#generation, SlotState.CLAIMED)
    const leased = controlWord(this.#generation, SlotState.LEASED)
    // I10: gives back what this claim took and nothing else; pairs with release and quarantine.
    return Atomics.compareExchange(words, this.#memory.controlAt(this.#index), claimed, leased) === claimed
  }

  #ended(): SharedBufferError {
    const how = this.#finished ? 'it was finished' : 'its lease was revoked'
    return new SharedBufferError('CLAIM_ENDED', `Cannot use the claim on slot ${this.#index}: ${how}`)
  }
}

function requireIndex(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${name} must be an integer from 0 to ${max}, got ${describe(value)}`)
  }
}
