import type { Doorbell } from './doorbell.js'

/**
 * Everybody in this thread who waits at one doorbell, behind one `Atomics.waitAsync`: a pending one
 * can't be cancelled and takes memory until it is notified, so it must not be made for each wait (I10).
 * Like any wait it may wake for nothing: the checks decide.
 */
class WordWatch {
  readonly #doorbell: Doorbell
  readonly #checks = new Set<() => void>()
  #pending = false

  constructor(doorbell: Doorbell) {
    this.#doorbell = doorbell
  }

  /** Has `check` called now or soon, and after every ring, until it deletes itself. */
  add(check: () => void): void {
    this.#checks.add(check)
    // While one is pending, whatever is published from now on ends it, and every check is called then.
    if (!this.#pending) this.#listen()
  }

  delete(check: () => void): void {
    this.#checks.delete(check)
    // I11: ends our own pending wait; whoever else sleeps there looks again.
    if (this.#checks.size === 0 && this.#pending) this.#doorbell.wake()
  }

  #listen(): void {
    for (;;) {
      for (const check of this.#checks) check() // most often nobody needs to sleep again, and nothing be armed
      if (this.#checks.size === 0) return
      const { words, word } = this.#doorbell
      const seen = this.#doorbell.arm()
      for (const check of this.#checks) check()
      if (this.#checks.size === 0) {
        this.#doorbell.disarm()
        return
      }
      const wait = Atomics.waitAsync(words, word, seen) // I7: on that value only; I10: the only one
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

/** The one watch of a doorbell's word for all rings of this thread over the same buffer object. */
export function watchOf(doorbell: Doorbell): WordWatch {
  const { words, word } = doorbell
  const ofBuffer = watches.get(words.buffer) ?? new Map<number, WordWatch>()
  watches.set(words.buffer, ofBuffer)
  const watch = ofBuffer.get(word) ?? new WordWatch(doorbell)
  ofBuffer.set(word, watch)
  return watch
}
