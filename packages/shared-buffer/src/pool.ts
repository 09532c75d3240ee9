import { SharedBufferError } from './errors.js'
import { clearMailbox } from './failure.js'
import type { SharedBuffer } from './mailbox.js'
import { type CompleteWaitOptions, completeWaitOptions, Pending, type WaitOptions } from './pending.js'
import { controlWord, createPoolMemory, MAX_GENERATION, type PoolMemory, SlotState } from './pool-layout.js'
import { type Linked, LinkedQueue } from './queue.js'
import { describe } from './shared-memory.js'
import { rejectWaits } from './wait.js'

/** Leases the slots of one SharedArrayBuffer. Only the thread that created it may call it. */
export interface SharedBufferPool {
  /** The memory of all slots: hand it to each worker once, for `attachSharedBufferPool`. */
  readonly buffer: SharedArrayBuffer
  /** Number of slots. */
  readonly slots: number
  /** Payload bytes of each. */
  readonly slotSize: number
  /**
   * A free slot, its mailbox IDLE and empty (older payload bytes stay). Undefined when there is none.
   * @throws {SharedBufferError} `CORRUPT_SLOT` when a thread wrote outside its slot; the slot stays out of use.
   */
  acquire(): SlotLease | undefined
  /**
   * A free slot, as soon as there is one; first come first served. Undefined after `timeoutMs` (for ever when left
   * out); rejects with the signal's reason on abort, or like {@link acquire}. While it waits it keeps the process alive.
   */
  acquireAsync(options?: WaitOptions): Promise<SlotLease | undefined>
  /** A snapshot. */
  stats(): SharedBufferPoolStats
}

/** A snapshot of a pool. */
export interface SharedBufferPoolStats {
  /** Number of slots. */
  slots: number
  /** Payload bytes of each. */
  slotSize: number
  /** Bytes of the whole buffer. */
  bytes: number
  /** Slots that are leased now. */
  inUse: number
  /** The most slots that were ever leased at once. */
  highWater: number
  /** Slots that are out of use because their worker was killed, or because they were found corrupt. */
  quarantined: number
  /** How many `acquireAsync` calls found no free slot and had to wait, since the pool was made. */
  waits: number
}

/** One slot, leased. Tell `index` and `generation` to the thread that shall claim it. */
export interface SlotLease {
  /** Which slot: 0 to slots - 1. */
  readonly index: number
  /** Which of the slot's leases: 0 to 2^30 - 1, another one each time. */
  readonly generation: number
  /**
   * The slot's memory. Keep no view on it beyond the lease.
   * @throws {SharedBufferError} `LEASE_ENDED` after release or quarantine.
   */
  readonly mailbox: SharedBuffer
  /**
   * Frees the slot. Reads and writes of this thread that still wait in the mailbox reject with `LEASE_ENDED`.
   * @throws {SharedBufferError} `LEASE_ENDED` the second time; `SLOT_CLAIMED` while a worker uses the slot, and
   * nothing is freed: wait for the worker to finish, or end it and call {@link quarantine}.
   */
  release(): void
  /**
   * Ends the lease when the worker that may be using the slot was killed. `until` settles, in whatever way, when
   * that worker is gone ('exit'); the slot is out of use until then, unless nobody had claimed it: then nobody
   * can any more, and it is free at once.
   * @throws {TypeError} when `until` is no promise.
   * @throws {SharedBufferError} `LEASE_ENDED` after release or quarantine.
   */
  quarantine(until: PromiseLike<unknown>): void
}

/**
 * Allocates a pool of `slots` mailboxes for messages of up to `slotSize` bytes.
 * @throws {RangeError} unless `slots` is an integer from 1 to 2^20, `slotSize` one from 1 to 2^31 - 1, and there
 * is memory for all.
 */
export function createSharedBufferPool(options: { slots: number; slotSize: number }): SharedBufferPool {
  return new PoolOwner(createPoolMemory(options.slots, options.slotSize))
}

/** The owner's side. On memory whose slots are all free. */
export class PoolOwner implements SharedBufferPool {
  readonly #memory: PoolMemory
  /** Indices of the free slots. The last one freed is leased first: its memory is warm. */
  readonly #free: number[]
  /** Each slot's latest generation. The control word says the same, but other threads could overwrite it. */
  readonly #generations: Int32Array
  readonly #queue = new LinkedQueue<SlotWaiter>()
  #inUse = 0
  #highWater = 0
  #quarantined = 0
  #waits = 0

  constructor(memory: PoolMemory) {
    this.#memory = memory
    this.#free = Array.from({ length: memory.slots }, (_, index) => memory.slots - 1 - index)
    const generationOf = (index: number) => (memory.words[memory.controlAt(index)] ?? 0) >>> 2
    this.#generations = Int32Array.from({ length: memory.slots }, (_, index) => generationOf(index))
  }

  get buffer(): SharedArrayBuffer {
    return this.#memory.buffer
  }

  get slots(): number {
    return this.#memory.slots
  }

  get slotSize(): number {
    return this.#memory.slotSize
  }

  acquire(): SlotLease | undefined {
    const index = this.#free.pop()
    return index === undefined ? undefined : this.#lease(index)
  }

  async acquireAsync(options: WaitOptions = {}): Promise<SlotLease | undefined> {
    const wait = completeWaitOptions(options, Number.POSITIVE_INFINITY)
    const lease = this.acquire()
    if (lease !== undefined || wait.timeoutMs === 0) return lease
    this.#waits++
    const waiter = new SlotWaiter(wait, this.#queue)
    this.#queue.push(waiter)
    return waiter.promise
  }

  stats(): SharedBufferPoolStats {
    return {
      slots: this.slots,
      slotSize: this.slotSize,
      bytes: this.buffer.byteLength,
      inUse: this.#inUse,
      highWater: this.#highWater,
      quarantined: this.#quarantined,
      waits: this.#waits,
    }
  }

  /** Ends a lease normally. False: a thread holds a claim. */
  release(index: number, generation: number): boolean {
    const { words } = this.#memory
    const leased = controlWord(generation, SlotState.LEASED)
    const free = controlWord(generation, SlotState.FREE)
    // I11: frees the slot only if no thread holds a claim; pairs with claim.
    const found = Atomics.compareExchange(words, this.#memory.controlAt(index), leased, free)
    if (found === controlWord(generation, SlotState.CLAIMED)) return false
    rejectWaits(this.#memory.mailbox(index).status, () => leaseEnded(index))
    this.#inUse--
    if (found !== leased) throw this.#corrupt(index, found)
    this.#give(index)
    return true
  }

  /** Ends a lease whose worker was killed. */
  quarantine(index: number, generation: number, until: PromiseLike<unknown>): void {
    const { words } = this.#memory
    const at = this.#memory.controlAt(index)
    // I11: from here on no claim and no finish succeeds, whatever the state was. An exchange, because a claim
    // that comes in between must not make it fail.
    const found = Atomics.exchange(words, at, controlWord(generation, SlotState.QUARANTINED))
    rejectWaits(this.#memory.mailbox(index).status, () => leaseEnded(index))
    this.#inUse--
    const free = () => {
      // I11: nobody uses the slot, and in QUARANTINED the word belongs to the owner alone.
      Atomics.store(words, at, controlWord(generation, SlotState.FREE))
      this.#give(index)
    }
    if (found === controlWord(generation, SlotState.LEASED)) {
      free()
      return
    }
    this.#quarantined++
    const freeLater = () => {
      this.#quarantined--
      free()
    }
    Promise.resolve(until).then(freeLater, freeLater)
  }

  #lease(index: number): SlotLease {
    const { words } = this.#memory
    const mailbox = this.#memory.mailbox(index)
    const previous = this.#generations[index] ?? 0
    const generation = (previous + 1) & MAX_GENERATION
    const free = controlWord(previous, SlotState.FREE)
    const leased = controlWord(generation, SlotState.LEASED)
    // I12: nobody else touches the mailbox of a free slot.
    clearMailbox(mailbox)
    // I9: the next generation, so that no older lease's numbers fit; pairs with claim, which sees the mailbox clear.
    const found = Atomics.compareExchange(words, this.#memory.controlAt(index), free, leased)
    if (found !== free) throw this.#corrupt(index, found)
    this.#generations[index] = generation
    this.#inUse++
    this.#highWater = Math.max(this.#highWater, this.#inUse)
    return new Lease(this, index, generation, mailbox)
  }

  /** To whoever waits longest, else to the free list. */
  #give(index: number): void {
    const waiter = this.#queue.first
    if (waiter === undefined) {
      this.#free.push(index)
      return
    }
    this.#queue.remove(waiter)
    try {
      waiter.resolve(this.#lease(index))
    } catch (error) {
      waiter.reject(error)
    }
  }

  #corrupt(index: number, found: number): SharedBufferError {
    this.#quarantined++
    return new SharedBufferError(
      'CORRUPT_SLOT',
      `Cannot use slot ${index}: its control word is ${found}, which this pool never wrote; it stays out of use`,
    )
  }
}

/** A call of acquireAsync that found no free slot. */
class SlotWaiter extends Pending<SlotLease | undefined> implements Linked<SlotWaiter> {
  previous: SlotWaiter | undefined = undefined
  next: SlotWaiter | undefined = undefined

  constructor(options: CompleteWaitOptions, queue: LinkedQueue<SlotWaiter>) {
    super(
      options,
      () => {
        queue.remove(this)
        this.resolve(undefined)
      },
      () => queue.remove(this),
    )
  }
}

class Lease implements SlotLease {
  readonly index: number
  readonly generation: number
  readonly #owner: PoolOwner
  readonly #mailbox: SharedBuffer
  #ended = false

  constructor(owner: PoolOwner, index: number, generation: number, mailbox: SharedBuffer) {
    this.#owner = owner
    this.index = index
    this.generation = generation
    this.#mailbox = mailbox
  }

  get mailbox(): SharedBuffer {
    if (this.#ended) throw leaseEnded(this.index)
    return this.#mailbox
  }

  release(): void {
    if (this.#ended) throw leaseEnded(this.index)
    this.#ended = true
    if (!this.#owner.release(this.index, this.generation)) {
      this.#ended = false
      throw new SharedBufferError(
        'SLOT_CLAIMED',
        `Cannot release slot ${this.index}: a worker holds a claim; call quarantine() if it was killed`,
      )
    }
  }

  quarantine(until: PromiseLike<unknown>): void {
    if (this.#ended) throw leaseEnded(this.index)
    if (typeof until?.then !== 'function')
      throw new TypeError(`until must be a promise, got ${describe(until)}`)
    this.#ended = true
    this.#owner.quarantine(this.index, this.generation, until)
  }
}

function leaseEnded(index: number): SharedBufferError {
  return new SharedBufferError(
    'LEASE_ENDED',
    `Cannot use the lease of slot ${index}: it was released or revoked`,
  )
}
