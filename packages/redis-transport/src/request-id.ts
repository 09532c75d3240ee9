import { ulid } from 'ulid'

const maxLength = 256
const control = /\p{Cc}/u

/**
 * A new request id: a ULID, 26 characters, sortable by the millisecond it was made in, with 80
 * random bits. Any thread may call it.
 */
export function createRequestId(): string {
  return ulid()
}

/** The Redis key of a request id; throws `TypeError` for an id that can't be one. */
export function renderContextKey(requestId: string): string {
  if (typeof requestId !== 'string')
    throw new TypeError(`requestId must be a string, not ${requestId === null ? 'null' : typeof requestId}`)
  if (requestId === '' || requestId.length > maxLength)
    throw new TypeError(`requestId must have 1 to ${maxLength} characters, not ${requestId.length}`)
  if (control.test(requestId))
    throw new TypeError(`requestId must have no control characters: ${JSON.stringify(requestId)}`)
  return `render:${requestId}`
}
