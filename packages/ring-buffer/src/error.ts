/**
 * What went wrong, for programs to match on:
 * - `CORRUPT_HEADER`: the cursors say that the ring holds less than nothing or more than its capacity.
 *   Something other than one producer and one consumer has written to the buffer; it can't be used any more.
 * - `CORRUPT_MESSAGE`: a message's length is more than what is in the ring; it can't be used any more.
 * - `CANCELLED`: the reader wants no more; its reason is the `cause`.
 * - `PEER_GONE`: the other side, whose `peer` was given, has ended without closing its side.
 * - `UNSUPPORTED`: there is no shared memory here; a web page must be cross-origin isolated.
 * - `WAIT_NOT_ALLOWED`: this thread may not block (a browser's main thread); wait asynchronously there.
 */
export type RingBufferErrorCode =
  | 'CORRUPT_HEADER'
  | 'CORRUPT_MESSAGE'
  | 'CANCELLED'
  | 'PEER_GONE'
  | 'UNSUPPORTED'
  | 'WAIT_NOT_ALLOWED'

/** An operational failure of a ring. Mistakes of the caller are plain `TypeError`s and `RangeError`s instead. */
export class RingBufferError extends Error {
  override readonly name: string = 'RingBufferError'
  readonly code: RingBufferErrorCode

  constructor(code: RingBufferErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
