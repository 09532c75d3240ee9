/**
 * Why single keys are not enough and everything cached has to go:
 * - `trimmed`: the log no longer holds all that was missed
 * - `epoch`: the log is gone or another one, as after a restart without persistence; or the first
 *   contact came late, after the connection had failed before
 * - `server`: another server answers, or the same after a restart or failover; it may lack the newest entries
 * - `overflow`: messages came faster than `onInvalidate` took them; or a publisher said so, whose queue was full
 * - `handler`: `onInvalidate` failed repeatedly or took too long
 */
export type FlushReason = 'trimmed' | 'epoch' | 'server' | 'overflow' | 'handler'

/**
 * Of `publish`:
 * - `PUBLISH_FAILED`: Redis refused for good, or the client has ended, or the invalidator is closed; the keys are
 *   dropped, and `cause` says why
 * - `PUBLISH_TIMEOUT`: Redis took nothing in time; the keys are queued, and sent when it does
 *
 * Of a subscription, to `onError`:
 * - `REDIS_UNAVAILABLE`: the connection failed, or the client has ended
 * - `HEARTBEAT_MISSED`: the server said nothing in time; the connection is made anew
 * - `SUBSCRIBE_FAILED`, `LOG_UNAVAILABLE`: Redis refused; tried again with every heartbeat
 * - `SERVER_UNKNOWN`: INFO is refused; every reconnect flushes, because the server may be another
 * - `LOG_MISMATCH`: a message has a number that its log does not have; its keys were invalidated
 * - `MALFORMED_MESSAGE`: what came is no message; nothing was invalidated
 * - `HANDLER_FAILED`, `FLUSH_FAILED`: `onInvalidate` or `onFlush` threw or took too long
 * - `FLUSH_REQUIRED`: flush everything, `reason` says why; only without `onFlush`
 */
export type CacheInvalidationErrorCode =
  | 'PUBLISH_FAILED'
  | 'PUBLISH_TIMEOUT'
  | 'REDIS_UNAVAILABLE'
  | 'HEARTBEAT_MISSED'
  | 'SUBSCRIBE_FAILED'
  | 'LOG_UNAVAILABLE'
  | 'SERVER_UNKNOWN'
  | 'LOG_MISMATCH'
  | 'MALFORMED_MESSAGE'
  | 'HANDLER_FAILED'
  | 'FLUSH_FAILED'
  | 'FLUSH_REQUIRED'

/** An operational failure of this package. Match on {@link CacheInvalidationError.code}. */
export class CacheInvalidationError extends Error {
  override readonly name: string = 'CacheInvalidationError'
  readonly code: CacheInvalidationErrorCode
  /** With `FLUSH_REQUIRED` and `FLUSH_FAILED`: why everything cached has to go. */
  readonly reason: FlushReason | undefined

  constructor(
    code: CacheInvalidationErrorCode,
    message: string,
    { reason, ...options }: ErrorOptions & { reason?: FlushReason } = {},
  ) {
    super(message, options)
    this.code = code
    this.reason = reason
  }
}

/** What a thrown value says. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  // An AggregateError of "localhost" tried on IPv4 and IPv6 has no message of its own.
  return thrown.message || (thrown as NodeJS.ErrnoException).code || thrown.name
}
