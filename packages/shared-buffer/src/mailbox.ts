import {
  allocateSharedMemory,
  describe,
  MAX_INT32,
  requirePositiveInteger,
  requireSharedMemory,
} from './shared-memory.js'

// A mailbox holds one message at a time, from one writing thread to one reading thread. Who took a message may
// write the answer in its place, if the other thread begins to read only when it knows, by other means, that its
// own message was taken: the status doesn't tell whose message it is. Code of others that waits on the status has to
// look at it after each wake-up: a notify may come late, when the status is another one again.
//
// byte  word     written by                                   range
//    0  status   writer: IDLE, CONSUMED -> DATA_READY, ERROR   0..3
//                reader: DATA_READY -> CONSUMED
//    4  length   writer, before it publishes                   0..payload bytes
//    8  payload  writer, before it publishes

/** Bytes in front of the payload. */
export const MAILBOX_HEADER_BYTES = 8

/** The states of a mailbox's status word. */
export const BufferStatus: {
  /** Nothing was written since creation or reset. */
  readonly IDLE: 0
  /** A message waits for its reader. */
  readonly DATA_READY: 1
  /** The last message was taken; the next may be written. */
  readonly CONSUMED: 2
  /** The writer failed; the payload says why. Only `resetBuffer` leaves this state. */
  readonly ERROR: 3
} = { IDLE: 0, DATA_READY: 1, CONSUMED: 2, ERROR: 3 }

/** The value of a mailbox's status word. */
export type BufferStatus = (typeof BufferStatus)[keyof typeof BufferStatus]

/** A mailbox: three views over shared memory. Post `buffer` to a thread, which calls {@link fromSharedBuffer}. */
export interface SharedBuffer {
  /** The memory that the views lie in. */
  readonly buffer: SharedArrayBuffer
  /** One word: a {@link BufferStatus}. */
  readonly status: Int32Array
  /** One word: the payload's length in bytes. */
  readonly dataLength: Int32Array
  /** The payload memory; its length is the size of the largest message. */
  readonly data: Uint8Array
}

/**
 * Allocates a mailbox for messages of up to `dataSize` encoded bytes. Any thread may call it.
 * @throws {RangeError} unless `dataSize` is an integer from 1 to 2^31 - 1 (and there is memory for it).
 */
export function createSharedBuffer(dataSize: number): SharedBuffer {
  requirePositiveInteger('dataSize', dataSize, MAX_INT32)
  return mailboxAt(allocateSharedMemory(MAILBOX_HEADER_BYTES + dataSize), 0, dataSize)
}

/**
 * The same mailbox, seen from the thread that was sent `buffer`. Changes nothing in it.
 * @throws {TypeError} when `buffer` is no SharedArrayBuffer, or a growable one.
 * @throws {RangeError} when it is too small to hold a byte of payload, or larger than any mailbox.
 */
export function fromSharedBuffer(buffer: SharedArrayBuffer): SharedBuffer {
  requireSharedMemory(buffer)
  const dataSize = buffer.byteLength - MAILBOX_HEADER_BYTES
  if (dataSize < 1 || dataSize > MAX_INT32) {
    throw new RangeError(
      `Cannot find a mailbox in ${buffer.byteLength} bytes: it takes 9 to ${MAX_INT32 + 8}`,
    )
  }
  return mailboxAt(buffer, 0, dataSize)
}

/** Mailboxes that were made here or looked at before, so that the look costs every call little. */
const known = new WeakSet<SharedBuffer>()

/** The views of a mailbox that begins at `byteOffset`, a multiple of 4. */
export function mailboxAt(buffer: SharedArrayBuffer, byteOffset: number, dataSize: number): SharedBuffer {
  const shared = {
    buffer,
    status: new Int32Array(buffer, byteOffset, 1),
    dataLength: new Int32Array(buffer, byteOffset + 4, 1),
    data: new Uint8Array(buffer, byteOffset + MAILBOX_HEADER_BYTES, dataSize),
  }
  known.add(shared)
  return shared
}

/** Throws unless `shared` has a mailbox's views, such as one that was posted whole from another thread. */
export function requireMailbox(shared: SharedBuffer): void {
  if (known.has(shared)) return
  const { status, dataLength, data } = shared ?? {}
  if (
    !isShared(status, 'Int32Array') ||
    !isShared(dataLength, 'Int32Array') ||
    !isShared(data, 'Uint8Array')
  ) {
    throw new TypeError(
      `shared must be a mailbox ({ buffer, status, dataLength, data }), got ${describe(shared)}`,
    )
  }
  known.add(shared)
}

function isShared(view: ArrayBufferView, type: string): boolean {
  const tag = (value: unknown) => Object.prototype.toString.call(value)
  return (
    tag(view) === `[object ${type}]` &&
    tag(view.buffer) === '[object SharedArrayBuffer]' &&
    view.byteLength > 0
  )
}

/** `DATA_READY` for 1, and so on; the number itself when it is no status. */
export function statusName(status: number): string {
  return ['IDLE', 'DATA_READY', 'CONSUMED', 'ERROR'][status] ?? String(status)
}
