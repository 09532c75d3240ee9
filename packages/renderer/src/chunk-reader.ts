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

  /** The next part, or the end. Rejects with the reason of {@link stop}, at once. */
  next(): Promise<IteratorResult<unknown>> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(this.#stopped.reason)
        return
      }
      this.#reject = reject
      // Within the promise: a next() that throws at once rejects.
      Promise.resolve(this.#page.chunks.next()).then(result => {
        if (result.done) this.#ended = true
        resolve(result)
      }, reject)
    })
  }

  /** Wants no more: who makes the parts is ended, unless they have come to their end. */
  stop(reason: unknown): void {
    if (this.#stopped || this.#ended) return
    this.#stopped = { reason }
    this.#reject?.(reason)
    this.#page.abort(reason)
  }
}
