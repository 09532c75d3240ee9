/**
 * - `CONTEXT_MISSING`: no context under this request id; expired, taken, or never stored
 * - `CONTEXT_TOO_LARGE`: the context is over the size cap, nothing was stored or parsed
 * - `CONTEXT_CORRUPT`: what Redis holds under the key is no JSON context
 * - `PAGE_TOO_LARGE`: the HTML is over the size cap, nothing was stored
 * - `REDIS_UNAVAILABLE`: no answer: connection refused or lost, retries used up, or timed out
 * - `REDIS_REFUSED`: Redis answered with an error, such as OOM, NOPERM, READONLY or WRONGTYPE
 */
export type RedisTransportErrorCode =
  | 'CONTEXT_MISSING'
  | 'CONTEXT_TOO_LARGE'
  | 'CONTEXT_CORRUPT'
  | 'PAGE_TOO_LARGE'
  | 'REDIS_UNAVAILABLE'
  | 'REDIS_REFUSED'

/** An operational failure of this package. Match on {@link RedisTransportError.code}. */
export class RedisTransportError extends Error {
  override readonly name: string = 'RedisTransportError'
  readonly code: RedisTransportErrorCode

  constructor(code: RedisTransportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What ioredis failed with, as this package's error; `action` completes "Cannot …". */
export function redisFailure(action: string, cause: unknown): RedisTransportError {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  // An AggregateError of "localhost" tried on IPv4 and IPv6 has no message of its own.
  const reason = error.message || (error as NodeJS.ErrnoException).code || error.name
  const code = error.name === 'ReplyError' ? 'REDIS_REFUSED' : 'REDIS_UNAVAILABLE'
  return new RedisTransportError(code, `Cannot ${action}: ${reason}`, { cause })
}
