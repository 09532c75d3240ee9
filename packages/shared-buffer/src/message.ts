import { type CodecOptions, decodePayload, encodePayload, requireCodec } from './codec.js'
import { SharedBufferError } from './errors.js'
import { peerFailed } from './failure.js'
import { BufferStatus, requireMailbox, type SharedBuffer, statusName } from './mailbox.js'
import { completeWaitOptions, requireTimeout, type WaitOptions } from './pending.js'
import { copyBytes } from './shared-memory.js'
import { looksBeforeSleep } from './spin.js'
import { waitAsync, waitBlocking } from './wait.js'

/** Milliseconds that a read, or a waiting write, takes at most unless it was told otherwise. */
const DEFAULT_TIMEOUT_MS = 5000

/** Options of the waiting members: `timeoutMs` is 5000 when left out. */
export interface MessageOptions<T = unknown> extends WaitOptions, CodecOptions<T> {}

/** Options of {@link readFromBuffer}. */
export interface ReadOptions<T = unknown> extends CodecOptions<T> {
  /** How often it looks before it sleeps, an integer from 0 on. Default 4000, some 35 µs, or 0 on one core. */
  spin?: number | undefined
}

/**
 * Writes a message, copying it, and wakes the thread that waits for it. Never blocks. For one thread at a time:
 * the one whose turn it is to write. It does not queue behind pending {@link writeToBufferAsync} calls.
 * @throws {TypeError} when the codec can't hold the payload. Nothing is written.
 * @throws {RangeError} when its bytes are more than the mailbox holds. Nothing is written.
 * @throws {SharedBufferError} `UNREAD_MESSAGE` while the last message waits for its reader; `PEER_FAILED` after
 * {@link failBuffer}; `CORRUPT_STATUS`. Nothing is written.
 */
export function writeToBuffer<T>(shared: SharedBuffer, payload: T, options: CodecOptions<T> = {}): void {
  requireMailbox(shared)
  const bytes = encodePayload(requireCodec(options), payload, shared.data.byteLength)
  // I2: looked at before a byte is written; only this thread can leave IDLE or CONSUMED.
  if (putMessage(shared, bytes, Atomics.load(shared.status, 0)) !== true) {
    throw new SharedBufferError('UNREAD_MESSAGE', 'Cannot write: the last message has not been read')
  }
}

/**
 * Writes a message as soon as the last one was read. The payload is encoded at once, before any waiting.
 * Calls of one thread on one mailbox write in their order. While it waits it keeps the process alive.
 * Rejects like {@link writeToBuffer}, except that an unread message after `timeoutMs` is `TIMEOUT`; an abort
 * rejects with the signal's reason.
 */
export async function writeToBufferAsync<T>(
  shared: SharedBuffer,
  payload: T,
  options: MessageOptions<T> = {},
): Promise<void> {
  requireMailbox(shared)
  const wait = completeWaitOptions(options, DEFAULT_TIMEOUT_MS)
  let bytes = encodePayload(requireCodec(options), payload, shared.data.byteLength)
  let first = true
  const written = await waitAsync(
    shared.status,
    seen => {
      const done = putMessage(shared, bytes, seen)
      // The caller, or its codec, may use the memory for something else while the message waits here.
      if (done !== true && first) bytes = copyBytes(bytes, bytes.byteLength)
      first = false
      return done
    },
    wait,
  )
  if (written === undefined) {
    throw new SharedBufferError(
      'TIMEOUT',
      `Cannot write: the last message was not read within ${wait.timeoutMs} ms`,
    )
  }
}

/**
 * Blocks its thread until there is a message, takes it and returns it decoded. For one thread at a time: the
 * reader. A message that can't be decoded is taken all the same, so that the next one can be written.
 * @param timeoutMs milliseconds, 0 (only look) to Infinity.
 * @throws {RangeError} when `spin` is no integer from 0 on.
 * @throws {SharedBufferError} `TIMEOUT`; `PEER_FAILED` with the writer's error as `cause`; `CORRUPT_STATUS`;
 * `CORRUPT_LENGTH`; `BAD_PAYLOAD`; `BLOCKING_FORBIDDEN` when it would have to wait on a browser's main thread.
 */
export function readFromBuffer<T>(
  shared: SharedBuffer,
  timeoutMs: number = DEFAULT_TIMEOUT_MS,
  options: ReadOptions<T> = {},
): T {
  requireMailbox(shared)
  requireTimeout(timeoutMs)
  const codec = requireCodec(options)
  const looks = looksBeforeSleep(options.spin)
  const bytes = waitBlocking(shared.status, seen => takeMessage(shared, seen), timeoutMs, looks)
  if (bytes === undefined) throw noMessage(shared, timeoutMs)
  return decodePayload(codec, bytes)
}

/**
 * {@link readFromBuffer} without blocking. Calls of one thread on one mailbox are served in their order. While it
 * waits it keeps the process alive; once it was settled, by abort or otherwise, nothing of it is left.
 * Rejects with the same errors, or with the signal's reason.
 */
export async function readFromBufferAsync<T>(
  shared: SharedBuffer,
  options: MessageOptions<T> = {},
): Promise<T> {
  requireMailbox(shared)
  const wait = completeWaitOptions(options, DEFAULT_TIMEOUT_MS)
  const codec = requireCodec(options)
  const bytes = await waitAsync(shared.status, seen => takeMessage(shared, seen), wait)
  if (bytes === undefined) throw noMessage(shared, wait.timeoutMs)
  return decodePayload(codec, bytes)
}

/** An attempt (wait.ts) to write; refused while the last message is unread. Each change of the status is notified. */
function putMessage(shared: SharedBuffer, bytes: Uint8Array, seen: number): true | number {
  if (seen === BufferStatus.DATA_READY) return seen
  if (seen === BufferStatus.ERROR) throw peerFailed(shared)
  if (seen !== BufferStatus.IDLE && seen !== BufferStatus.CONSUMED) throw corruptStatus(seen)
  shared.data.set(bytes)
  // I1: the length, like the bytes above, is there before the status says so.
  Atomics.store(shared.dataLength, 0, bytes.byteLength)
  // I1: publishes; takeMessage's load of the status pairs with it. No compareExchange is needed: in IDLE and
  // CONSUMED the status belongs to the writer alone (I2).
  Atomics.store(shared.status, 0, BufferStatus.DATA_READY)
  // I6: all of them; a waiter that can't use the message sleeps on.
  Atomics.notify(shared.status, 0)
  return true
}

/** An attempt (wait.ts) to take the message; refused while there is none. Each change of the status is notified. */
function takeMessage(shared: SharedBuffer, seen: number): Uint8Array | number {
  const { status, dataLength, data } = shared
  if (seen === BufferStatus.IDLE || seen === BufferStatus.CONSUMED) return seen
  if (seen === BufferStatus.ERROR) throw peerFailed(shared)
  if (seen !== BufferStatus.DATA_READY) throw corruptStatus(seen)
  // I4: checked against the memory that is there before a byte is read.
  const length = Atomics.load(dataLength, 0)
  const possible = length >= 0 && length <= data.byteLength
  // Decoding happens on this copy: the writer may be broken or hostile, and the next message may come.
  const bytes = possible ? copyBytes(data, length) : undefined
  // I3: takes the message only if it is still the one that was copied; fails when the writer withdrew it.
  const found = Atomics.compareExchange(status, 0, BufferStatus.DATA_READY, BufferStatus.CONSUMED)
  if (found !== BufferStatus.DATA_READY) return takeMessage(shared, found)
  // I6: a writer that waits for its turn has it now.
  Atomics.notify(status, 0)
  if (bytes === undefined) {
    throw new SharedBufferError(
      'CORRUPT_LENGTH',
      `Cannot read a message of ${length} bytes: the mailbox holds ${data.byteLength}`,
    )
  }
  return bytes
}

function corruptStatus(seen: number): SharedBufferError {
  return new SharedBufferError(
    'CORRUPT_STATUS',
    `Cannot use the mailbox: its status is ${seen}, which is none`,
  )
}

function noMessage(shared: SharedBuffer, timeoutMs: number): SharedBufferError {
  // I6: for the text alone; nothing is decided by it.
  const now = statusName(Atomics.load(shared.status, 0))
  return new SharedBufferError(
    'TIMEOUT',
    `Cannot read: no message within ${timeoutMs} ms, the status is ${now}`,
  )
}
