import { describe } from './argument.js'
import { Cursors } from './cursors.js'
import { FlagDoorbell } from './doorbell.js'
import { RingBufferError } from './error.js'
import { MAX_CAPACITY, requireFixedMemory, sharedMemory } from './layout.js'
import { RingData } from './ring-data.js'

// byte  word            who writes it                     range
//    0  magic           whoever creates the ring          MAGIC
//    4  version         whoever creates the ring          1
//    8  kind            whoever creates the ring          one of KIND
//   12  capacity        whoever creates the ring          1..2^31 read unsigned, in units
//   16  unitBytes       whoever creates the ring          1..2^31 read unsigned: 1, a message's word or the size of a slot
//  128  writePos        producer                          counts units as in layout.ts
//  132  readerAsleep    consumer sets it, producer clears 0; 1 while the consumer sleeps or is about to; 2 once it has cancelled
//  256  readPos         consumer                          counts units as in layout.ts
//  260  writerAsleep    producer sets it, consumer clears 0; 1 while the producer sleeps or is about to
//  384  writerState     producer, once                    one of WRITER
//  388  readerState     consumer, once                    one of READER
//  392  cancelWatched   producer sets it, consumer clears 0, or 1 while `cancelled` is awaited
//  512  writer's error  producer, before writerState      Int32 length, then as many bytes
// 1024  reader's reason consumer, before readerState      Int32 length, then as many bytes
// 1536  data            producer                          `capacity * unitBytes` bytes
//
// Each cursor has a cache line of its own (128 bytes: two of x86, which fetches them in pairs, one of Apple's).
// A sleeper's flag lies beside the cursor that it waits for, on the line of whoever must look at it after each
// publication. The states have a line that is hardly ever written, so looking at them costs no transfer.

const MAGIC = 0x52_69_4e_67
const VERSION = 1
/** What a padded buffer is the memory of. */
const KIND = { message: 1, channel: 2, slot: 3, float64: 4 } as const
export type Kind = keyof typeof KIND
/** Bytes of a unit, where the kind alone says so. */
const UNIT_BYTES: Partial<Record<Kind, number>> = { message: 8, channel: 1, float64: 8 }

const MAGIC_WORD = 0
const VERSION_WORD = 1
const KIND_WORD = 2
const CAPACITY_WORD = 3
const UNIT_WORD = 4
const WRITE_POS = 32
const READER_ASLEEP = 33
const READ_POS = 64
const WRITER_ASLEEP = 65
export const WRITER_STATE = 96
export const READER_STATE = 97
const CANCEL_WATCHED = 98
export const WRITER_ERROR_BYTE = 512
export const READER_REASON_BYTE = 1024
/** Bytes of an error with its length. */
export const ERROR_BYTES = 512
export const DATA_BYTE = 1536

export const WRITER = { OPEN: 0, ENDED: 1, FAILED: 2 } as const
export const READER = { OPEN: 0, CANCELLED: 1 } as const

/** One object's view of a padded ring. */
export interface PaddedRing {
  words: Int32Array<SharedArrayBuffer>
  data: RingData
  cursors: Cursors
  /** Where the reader sleeps until there is something to read. */
  readable: FlagDoorbell
  /** Where to sleep until the reader cancels. */
  cancelled: FlagDoorbell
  /** Bytes that one step of a cursor stands for. */
  unitBytes: number
}

/** Memory for an empty ring, whose data has `capacity * unitBytes` bytes. Both are checked already. */
export function allocatePadded(kind: Kind, capacity: number, unitBytes = 1): SharedArrayBuffer {
  const buffer = sharedMemory(DATA_BYTE + capacity * unitBytes)
  const words = new Int32Array(buffer, 0, UNIT_WORD + 1)
  words.set([MAGIC, VERSION, KIND[kind], capacity | 0, unitBytes | 0])
  return buffer
}

/** The ring on `buffer`. Throws `TypeError` when it is no ring of that kind, `CORRUPT_HEADER` when a broken one. */
export function attachPadded(kind: Kind, buffer: SharedArrayBuffer): PaddedRing {
  requireFixedMemory(buffer)
  const words = new Int32Array(buffer, 0, buffer.byteLength >= DATA_BYTE ? DATA_BYTE / 4 : 0)
  if (words[MAGIC_WORD] !== MAGIC || words[KIND_WORD] !== KIND[kind]) {
    throw new TypeError(`Cannot attach a ${kind} ring: buffer was not made for one`)
  }
  if (words[VERSION_WORD] !== VERSION) {
    throw new TypeError(
      `Cannot attach a ${kind} ring: buffer has layout ${describe(words[VERSION_WORD])}, not ${VERSION}`,
    )
  }
  const room = buffer.byteLength - DATA_BYTE
  const capacity = (words[CAPACITY_WORD] as number) >>> 0
  const unitBytes = (words[UNIT_WORD] as number) >>> 0
  const consistent = capacity * unitBytes === room && unitBytes === (UNIT_BYTES[kind] ?? unitBytes)
  if (!consistent || capacity < 1 || capacity > MAX_CAPACITY) {
    throw new RingBufferError(
      'CORRUPT_HEADER',
      `Cannot attach a ${kind} ring: its header says ${capacity} times ${unitBytes} bytes, the buffer has room for ${room}`,
    )
  }
  const readable = new FlagDoorbell(words, READER_ASLEEP)
  const writable = new FlagDoorbell(words, WRITER_ASLEEP)
  const cursors = new Cursors(words, WRITE_POS, READ_POS, capacity, readable, writable)
  cursors.used()
  const cancelled = new FlagDoorbell(words, CANCEL_WATCHED)
  return { words, data: new RingData(buffer, DATA_BYTE, room), cursors, readable, cancelled, unitBytes }
}
