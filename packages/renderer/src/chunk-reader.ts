import type { PageChunks } from './page-source.js'

/** Reads the parts of a page one by one, and can be told to stop while it waits for one. */
export class ChunkReader {
  readonly #page: PageChunks
  #stopped: { reason: unknown } | undefined
  #reject: ((reason: unknown) => void) | undefined
  #ended = false

  constructor(page: PageChunks) {
    this.#page = page
  }

  /** The next part, or the end. Throws the reason of {@link stop}, or rejects with it, at once. */
  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>> {
    if (this.#stopped) throw this.#stopped.reason
    const coming = this.#page.chunks.next()
    // Without a promise where there is none: each costs as much as a small part.
    if (!('then' in coming)) return this.#look(coming)
    return new Promise((resolve, reject) => {
      this.#reject = reject
      coming.then(result => resolve(this.#look(result)), reject)
    })
  }

  #look(result: IteratorResult<unknown>): IteratorResult<unknown> {
    if (result.done) this.#ended = true
    return result
  }

  /** Wants no more: who makes the parts is ended, unless they have come to their end. */
  stop(reason: unknown): void {
    if (this.#stopped || this.#ended) return
    this.#stopped = { reason }
    this.#reject?.(reason)
    this.#page.abort(reason)
  }
}
