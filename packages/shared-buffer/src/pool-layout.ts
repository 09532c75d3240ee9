import { MAILBOX_HEADER_BYTES, mailboxAt, type SharedBuffer } from './mailbox.js'
import {
  allocateSharedMemory,
  MAX_INT32,
  requirePositiveInteger,
  requireSharedMemory,
} from './shared-memory.js'

// A pool is one buffer: a header line, then the slots, one stride after the other.
//
// header
// byte  word      sole writer             range
//    0  magic     creator, before it      MAGIC
//    4  version   hands the buffer out    VERSION
//    8  slots                             1..MAX_SLOTS
//   12  slotSize                          1..MAX_INT32
//
// slot, a multiple of 64 bytes; offsets within it
// byte  word      written by                                 range
//    0  control   owner: acquire, release, quarantine         generation * 4 + SlotState
//                 claiming thread: claim, finish
//   56  mailbox   see mailbox.ts: status, length, and the payload from byte 64 on
//
// So payloads begin on a cache line, and no two slots share one.

const LINE_BYTES = 64
const MAGIC = 0x5342_5031
const VERSION = 1
const MAILBOX_OFFSET = LINE_BYTES - MAILBOX_HEADER_BYTES

/** The largest number of slots in a pool. */
const MAX_SLOTS = 1 << 20

/** Generations run from 0 to this, then from 0 again: the upper 30 bits of a control word. */
export const MAX_GENERATION = 0x3fff_ffff

/** The lower two bits of a slot's control word. */
export const SlotState = {
  /** In the owner's free list. */
  FREE: 0,
  /** Leased; a thread that knows the generation may claim it. */
  LEASED: 1,
  /** A thread is using it. */
  CLAIMED: 2,
  /** A thread that was killed may still be using it. */
  QUARANTINED: 3,
} as const

/** A control word. An Int32, like what Atomics answers. */
export function controlWord(generation: number, state: number): number {
  return (generation << 2) | state
}

/** A pool's memory: sizes, control words, and the mailboxes of its slots, each made once when it is first needed. */
export class PoolMemory {
  readonly buffer: SharedArrayBuffer
  readonly slots: number
  readonly slotSize: number
  /** All of the buffer; the control words are those at {@link controlAt}. */
  readonly words: Int32Array
  readonly #mailboxes: (SharedBuffer | undefined)[] = []

  constructor(buffer: SharedArrayBuffer, slots: number, slotSize: number) {
    this.buffer = buffer
    this.slots = slots
    this.slotSize = slotSize
    this.words = new Int32Array(buffer)
  }

  /** Where in {@link words} a slot's control word is. `index` must be in range. */
  controlAt(index: number): number {
    return this.#start(index) / Int32Array.BYTES_PER_ELEMENT
  }

  /** A slot's mailbox. `index` must be in range. */
  mailbox(index: number): SharedBuffer {
    const known = this.#mailboxes[index]
    if (known !== undefined) return known
    const mailbox = mailboxAt(this.buffer, this.#start(index) + MAILBOX_OFFSET, this.slotSize)
    this.#mailboxes[index] = mailbox
    return mailbox
  }

  #start(index: number): number {
    return LINE_BYTES + index * stride(this.slotSize)
  }
}

/** Memory for a new pool, all slots free. */
export function createPoolMemory(slots: number, slotSize: number): PoolMemory {
  requirePositiveInteger('slots', slots, MAX_SLOTS)
  requirePositiveInteger('slotSize', slotSize, MAX_INT32)
  const buffer = allocateSharedMemory(poolBytes(slots, slotSize))
  // Plain stores: handing the buffer to another thread is what publishes them.
  new Int32Array(buffer, 0, 4).set([MAGIC, VERSION, slots, slotSize])
  return new PoolMemory(buffer, slots, slotSize)
}

/** The pool in a buffer that came from another thread; throws when there is none. */
export function attachPoolMemory(buffer: SharedArrayBuffer): PoolMemory {
  requireSharedMemory(buffer)
  if (buffer.byteLength < LINE_BYTES) {
    throw new RangeError(
      `Cannot find a pool in ${buffer.byteLength} bytes: its header alone takes ${LINE_BYTES}`,
    )
  }
  const [magic, version, slots = 0, slotSize = 0] = new Int32Array(buffer, 0, 4)
  if (magic !== MAGIC)
    throw new RangeError('Cannot find a pool in the buffer: it does not begin with the mark of one')
  if (version !== VERSION) {
    throw new RangeError(`Cannot attach a pool of version ${version}: this code knows version ${VERSION}`)
  }
  if (slots < 1 || slots > MAX_SLOTS || slotSize < 1 || poolBytes(slots, slotSize) !== buffer.byteLength) {
    throw new RangeError(
      `Cannot attach a pool of ${slots} slots of ${slotSize} bytes: the buffer has ${buffer.byteLength}`,
    )
  }
  return new PoolMemory(buffer, slots, slotSize)
}

function stride(slotSize: number): number {
  return LINE_BYTES + Math.ceil(slotSize / LINE_BYTES) * LINE_BYTES
}

function poolBytes(slots: number, slotSize: number): number {
  return LINE_BYTES + slots * stride(slotSize)
}
