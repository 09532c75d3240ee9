import { describe } from './error-transfer.js'

/** Where the routes of a site come from: a list, or anything that makes them one after the other. */
export type SsgRoutes = Iterable<string> | AsyncIterable<string>

/** Takes the routes one by one, as they are needed. */
export class RouteSource {
  /** How many there are, as soon as that is known. */
  total: number | undefined
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>
  #taken = 0
  #ended = false

  /** TypeError when `routes` is nothing that can be iterated. A string can, but would give its letters. */
  constructor(routes: unknown) {
    const open =
      typeof routes === 'object' && routes !== null
        ? ((routes as AsyncIterable<unknown>)[Symbol.asyncIterator] ??
          (routes as Iterable<unknown>)[Symbol.iterator])
        : undefined
    if (typeof open !== 'function') {
      throw new TypeError(`routes must be an array or iterable of strings, and is ${describe(routes)}`)
    }
    if (Array.isArray(routes)) this.total = routes.length
    else if (routes instanceof Set) this.total = routes.size
    this.#iterator = open.call(routes)
  }

  async next(): Promise<IteratorResult<unknown>> {
    try {
      const result = await this.#iterator.next()
      if (!result.done) {
        this.#taken++
        return result
      }
    } catch (error) {
      this.#ended = true
      throw error
    }
    this.#ended = true
    this.total = this.#taken
    return { done: true, value: undefined }
  }

  /** Wants no more. Doesn't wait: a generator in the middle of something ends after that. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    try {
      await this.#iterator.return?.()
    } catch {
      // The run has failed already, and with another error.
    }
  }
}
