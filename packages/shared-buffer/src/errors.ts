/** What went wrong, for programs: match on this, never on the message. The README explains each. */
export type SharedBufferErrorCode =
  | 'TIMEOUT'
  | 'UNREAD_MESSAGE'
  | 'PEER_FAILED'
  | 'CORRUPT_STATUS'
  | 'CORRUPT_LENGTH'
  | 'CORRUPT_SLOT'
  | 'BAD_PAYLOAD'
  | 'BLOCKING_FORBIDDEN'
  | 'UNSUPPORTED'
  | 'LEASE_ENDED'
  | 'SLOT_CLAIMED'
  | 'CLAIM_ENDED'
  | 'NOT_HELD'
  | 'DEADLOCK'

/**
 * Every operational failure of this package. A caller's mistake (a wrong argument) is a plain
 * `TypeError` or `RangeError` instead.
 */
export class SharedBufferError extends Error {
  readonly code: SharedBufferErrorCode

  static {
    // On the prototype, so that the first line of `stack` has it too.
    SharedBufferError.prototype.name = 'SharedBufferError'
  }

  constructor(code: SharedBufferErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
