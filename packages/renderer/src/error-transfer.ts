import { RendererError, type RendererErrorCode } from './error.js'

/** An error as plain data: structured clone would drop `code`, `statusCode` and whatever can't be cloned. */
export interface TransferredError {
  name: string
  message: string
  stack?: string
  code?: string | number
  statusCode?: number
  cause?: TransferredError
  /** Made by this package, so it becomes a `RendererError` again. */
  own?: true
}

const maxCauses = 8

/** Anything thrown, as data that can always be cloned; never throws itself. */
export function encodeError(thrown: unknown, depth = 0): TransferredError {
  try {
    if (!(thrown instanceof Error)) return { name: 'Error', message: `thrown: ${describe(thrown)}` }
    const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown }
    return {
      name: String(thrown.name),
      message: String(thrown.message),
      ...(typeof thrown.stack === 'string' && { stack: thrown.stack }),
      ...((typeof code === 'string' || typeof code === 'number') && { code }),
      ...(typeof statusCode === 'number' && { statusCode }),
      ...(thrown.cause !== undefined && depth < maxCauses && { cause: encodeError(thrown.cause, depth + 1) }),
      ...(thrown instanceof RendererError && { own: true as const }),
    }
  } catch {
    return { name: 'Error', message: 'thrown: an error whose properties can not be read' }
  }
}

/** The error as the main thread's users meet it: an `Error` with the name, stack and codes of the worker's. */
export function decodeError(error: TransferredError): Error {
  const cause = error.cause && decodeError(error.cause)
  if (error.own) {
    const own = new RendererError(error.code as RendererErrorCode, error.message, cause)
    if (error.stack) own.stack = error.stack
    return own
  }
  const { name, message, stack, code, statusCode } = error
  const decoded = new Error(message, cause && { cause })
  const hidden = { configurable: true, enumerable: false, writable: true }
  Object.defineProperty(decoded, 'name', { ...hidden, value: name })
  if (stack) Object.defineProperty(decoded, 'stack', { ...hidden, value: stack })
  return Object.assign(decoded, code !== undefined && { code }, statusCode !== undefined && { statusCode })
}

/** A value in a few words for a message, whatever it is. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return value.length > 200 ? `${value.slice(0, 200)}…` : value
  if (typeof value === 'object') return `${Object.getPrototypeOf(value)?.constructor?.name ?? 'object'}`
  return typeof value === 'function' ? 'a function' : `${String(value)} (${typeof value})`
}
