import { named } from './argument.js'
import { parseContext } from './context-json.js'
import { renderContextKey } from './request-id.js'

/**
 * What is handed to a worker in place of the context: the id under which Redis holds it, or the context itself as
 * JSON. A plain object of one string, which can be cloned, posted and logged.
 */
export type RenderEnvelope =
  | { readonly requestId: string; readonly payload?: never }
  | { readonly payload: string; readonly requestId?: never }

/** What is in an envelope. Throws `TypeError` for what none of this package's functions made. */
export function openEnvelope(envelope: unknown): { requestId: string; key: string } | { context: unknown } {
  const names = typeof envelope === 'object' && envelope !== null ? Object.keys(envelope) : []
  const { requestId, payload } = (envelope ?? {}) as Record<string, unknown>
  if (names.length === 1 && names[0] === 'requestId')
    return { requestId: requestId as string, key: renderContextKey(requestId as string) }
  if (names.length !== 1 || names[0] !== 'payload' || typeof payload !== 'string')
    throw new TypeError(
      `envelope must be { requestId } or { payload }, as send and payload make it, not ${
        names.length > 0 ? `{ ${names.join(', ')} }` : named(envelope)
      }`,
    )
  try {
    return { context: parseContext(payload) }
  } catch (cause) {
    throw new TypeError('envelope.payload must be the JSON that send and payload write', { cause })
  }
}
