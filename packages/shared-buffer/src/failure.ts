import { SharedBufferError } from './errors.js'
import { BufferStatus, requireMailbox, type SharedBuffer } from './mailbox.js'
import { copyBytes } from './shared-memory.js'

/** What crosses to the reader of a failed mailbox. */
interface Failure {
  name: string
  message: string
  code?: string | number
  stack?: string
}

/**
 * Tells the mailbox's reader that there will be no message: every read and write fails with
 * `code: 'PEER_FAILED'`, whose `cause` carries the error's name, message, code and stack, until
 * {@link resetBuffer}. For the thread whose turn it is to write. A message that nobody has read is withdrawn; a
 * mailbox that failed before keeps its first error. What doesn't fit is shortened: the stack goes first, then
 * the code, then the end of the message.
 */
export function failBuffer(shared: SharedBuffer, error: unknown): void {
  requireMailbox(shared)
  const { status, dataLength, data } = shared
  // I3: takes an unread message back before its bytes are overwritten: a reader that is copying them
  // finds out when it tries to take the message.
  Atomics.compareExchange(status, 0, BufferStatus.DATA_READY, BufferStatus.CONSUMED)
  // I5: the first error stays.
  if (Atomics.load(status, 0) === BufferStatus.ERROR) return
  const bytes = encodeFailure(failureOf(error), data.byteLength)
  data.set(bytes)
  // I1: the length, like the bytes above, is there before the status says so.
  Atomics.store(dataLength, 0, bytes.byteLength)
  // I1: publishes; the reader's load of the status pairs with it.
  Atomics.store(status, 0, BufferStatus.ERROR)
  // I6: all of them: reader, waiting writers.
  Atomics.notify(status, 0)
}

/**
 * Makes the mailbox IDLE and empty, from whatever state; waiting writers go on. Call it only while no other
 * thread reads or writes: a message under way is lost.
 */
export function resetBuffer(shared: SharedBuffer): void {
  requireMailbox(shared)
  clearMailbox(shared)
  // I6: a writer that waits for its turn has it now.
  Atomics.notify(shared.status, 0)
}

/** IDLE and length 0, telling nobody. */
export function clearMailbox(shared: SharedBuffer): void {
  // I12: the length first, so that IDLE is never seen with an old length.
  Atomics.store(shared.dataLength, 0, 0)
  // I5: the only store that leaves ERROR.
  Atomics.store(shared.status, 0, BufferStatus.IDLE)
}

/** The error for a reader or writer that finds the mailbox in ERROR. */
export function peerFailed(shared: SharedBuffer): SharedBufferError {
  // I4: clamped to the memory that is there.
  const length = Math.max(0, Math.min(Atomics.load(shared.dataLength, 0), shared.data.byteLength))
  const cause = decodeFailure(copyBytes(shared.data, length))
  const told = cause === undefined ? '' : `: ${cause.name}: ${cause.message}`
  return new SharedBufferError('PEER_FAILED', `The other side failed${told}`, { cause })
}

function failureOf(error: unknown): Failure {
  if (typeof error !== 'object' || error === null) return { name: 'Error', message: String(error) }
  const { name, message, code, stack } = error as Partial<Record<keyof Failure, unknown>>
  const failure: Failure = {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : Object.prototype.toString.call(error),
  }
  if (typeof code === 'string' || typeof code === 'number') failure.code = code
  if (typeof stack === 'string') failure.stack = stack
  return failure
}

/** The fullest JSON that fits; nothing at all when not even the name does. */
function encodeFailure({ name, message, code, stack }: Failure, room: number): Uint8Array {
  const encoder = new TextEncoder()
  const candidates: object[] = [
    { name, message, code, stack },
    { name, message, code },
    { name, message },
  ]
  for (let kept = message.length >> 1; kept > 0; kept >>= 1)
    candidates.push({ name, message: message.slice(0, kept) })
  candidates.push({ name })
  for (const candidate of candidates) {
    const bytes = encoder.encode(JSON.stringify(candidate))
    if (bytes.byteLength <= room) return bytes
  }
  return new Uint8Array(0)
}

/** Undefined when the bytes are no failure: they come from another thread, which may be broken. */
function decodeFailure(bytes: Uint8Array): Error | undefined {
  let fields: unknown
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
  if (typeof fields !== 'object' || fields === null) return undefined
  const { name, message, code, stack } = fields as Partial<Record<keyof Failure, unknown>>
  const error = new Error(typeof message === 'string' ? message : '')
  const own = (key: string, value: unknown) =>
    Object.defineProperty(error, key, { value, writable: true, configurable: true })
  if (typeof name === 'string') own('name', name)
  if (typeof stack === 'string') own('stack', stack)
  if (typeof code === 'string' || typeof code === 'number') {
    Object.defineProperty(error, 'code', {
      value: code,
      writable: true,
      configurable: true,
      enumerable: true,
    })
  }
  return error
}
