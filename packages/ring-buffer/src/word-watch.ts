import { fallAsleep, wakeSleeper } from './sleeper.js'

/**
 * Everybody in this thread who waits for one shared word, behind one `Atomics.waitAsync`: a pending one
 * can't be cancelled and takes memory until it is notified, so it must not be made for each wait (I10).
 * Like any wait it may wake for nothing: the checks decide.
 */
class WordWatch {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #word: number
  readonly #flagged: boolean
  readonly #checks = new Set<() => void>()
  #pending = false

  constructor(words: Int32Array<SharedArrayBuffer>, word: number, flagged: boolean) {
    this.#words = words
    this.#word = word
    this.#flagged = flagged
  }

  /** Has `check` called now or soon, and after every change of the word, until it deletes itself. */
  add(check: () => void): void {
    this.#checks.add(check)
    // While one is pending, whatever is published from now on ends it, and every check is called then.
    if (!this.#pending) this.#listen()
  }

  delete(check: () => void): void {
    this.#checks.delete(check)
    if (this.#checks.size === 0 && this.#pending) {
      if (this.#flagged) wakeSleeper(this.#words, this.#word)
      else Atomics.notify(this.#words, this.#word) // I11: ends our own pending wait; other waiters look again
    }
  }

  #listen(): void {
    for (;;) {
      if (this.#flagged) for (const check of this.#checks) check() // I13: most often nobody needs to sleep again
      if (this.#checks.size === 0) return
      // I7: before the conditions are looked at
      const seen = this.#flagged ? fallAsleep(this.#words, this.#word) : Atomics.load(this.#words, this.#word)
      for (const check of this.#checks) check()
      if (this.#checks.size === 0) {
        if (this.#flagged) wakeSleeper(this.#words, this.#word)
        return
      }
      const wait = Atomics.waitAsync(this.#words, this.#word, seen) // I7: on that value only; I10: the only one
      if (!wait.async) continue
      this.#pending = true
      wait.value.then(() => {
        this.#pending = false
        this.#listen()
      })
      return
    }
  }
}

const watches = new WeakMap<SharedArrayBuffer, Map<number, WordWatch>>()

/** The one watch of a word for all rings of this thread over the same buffer object. */
export function watchOf(words: Int32Array<SharedArrayBuffer>, word: number, flagged = false): WordWatch {
  const ofBuffer = watches.get(words.buffer) ?? new Map<number, WordWatch>()
  watches.set(words.buffer, ofBuffer)
  const watch = ofBuffer.get(word) ?? new WordWatch(words, word, flagged)
  ofBuffer.set(word, watch)
  return watch
}
