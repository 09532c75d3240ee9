import type { ControlWords } from './control-words.js'

/** A stream that waits for its worker. */
export interface Listener {
  /** Looks for what has come; `false` while there is nothing. */
  poll(): boolean
}

/**
 * Waits for all streams of a pool at one doorbell: one `Atomics.waitAsync` is outstanding however many they are, and
 * none while nobody waits.
 */
export class StreamHub {
  readonly #words: ControlWords
  readonly #waiting = new Set<Listener>()
  #listening = false

  constructor(words: ControlWords) {
    this.#words = words
  }

  /** Polls until something has come. */
  add(listener: Listener): void {
    if (listener.poll()) return
    this.#waiting.add(listener)
    if (!this.#listening) void this.#listen()
  }

  remove(listener: Listener): void {
    this.#waiting.delete(listener)
  }

  async #listen(): Promise<void> {
    this.#listening = true
    while (this.#waiting.size > 0) {
      const seen = this.#words.listen()
      if (!this.#pollAll()) await this.#words.rung(seen)
    }
    this.#listening = false
  }

  /** Whether any of them had something. */
  #pollAll(): boolean {
    let any = false
    for (const listener of [...this.#waiting]) {
      // Removed before it acts: what it does may add it again, or remove others.
      if (!this.#waiting.delete(listener)) continue
      if (listener.poll()) any = true
      else this.#waiting.add(listener)
    }
    return any
  }
}
