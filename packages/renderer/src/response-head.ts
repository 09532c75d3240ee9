import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { HeaderValue } from './protocol.js'

/** The status and headers of a page, set by `render` in the worker before its first byte. `TypeError` afterwards. */
export interface ResponseHead {
  /** 200–599, 200 if never called. `RangeError` otherwise. */
  status(code: number): this
  /**
   * Sets a header, in place of an earlier value; `set-cookie` is added to. `TypeError` for a name or value that HTTP
   * doesn't allow, and for the headers that the server alone can know (length, encoding, connection).
   */
  header(name: string, value: string | number | readonly string[]): this
}

const serverOnly = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Collects what `render` sets; `undefined` stands for the defaults, which need not be sent to the main thread. */
export class ResponseHeadBuilder implements ResponseHead {
  statusCode: number | undefined
  headers: Record<string, HeaderValue> | undefined
  #sent = false

  status(code: number): this {
    this.#requireUnsent('status')
    if (!Number.isInteger(code) || code < 200 || code > 599) {
      throw new RangeError(`Cannot set status ${code}: it must be an integer from 200 to 599`)
    }
    this.statusCode = code
    return this
  }

  header(name: string, value: string | number | readonly string[]): this {
    this.#requireUnsent(`header "${name}"`)
    validateHeaderName(name)
    const key = name.toLowerCase()
    if (serverOnly.has(key)) throw new TypeError(`Cannot set the header "${name}": the server sets it`)
    const lines = (Array.isArray(value) ? value : [value]).map(String)
    for (const line of lines) validateHeaderValue(name, line)
    this.headers ??= Object.create(null) as Record<string, HeaderValue>
    const earlier = key === 'set-cookie' ? this.headers[key] : undefined
    const all = earlier === undefined ? lines : [...(Array.isArray(earlier) ? earlier : [earlier]), ...lines]
    this.headers[key] = all.length === 1 ? (all[0] as string) : all
    return this
  }

  /** Takes over what a `Response` says, except what only the server can know. */
  adopt(response: Response): void {
    this.status(response.status)
    for (const [name, value] of response.headers) {
      if (!serverOnly.has(name)) this.header(name, value)
    }
  }

  /** The head as it is sent: nothing can be set any more. */
  send(): { statusCode?: number; headers?: Record<string, HeaderValue> } {
    this.#sent = true
    const { statusCode, headers } = this
    return { ...(statusCode && { statusCode }), ...(headers && { headers: { ...headers } }) }
  }

  #requireUnsent(what: string): void {
    if (this.#sent) throw new TypeError(`Cannot set the ${what}: the head of the page has been sent`)
  }
}
