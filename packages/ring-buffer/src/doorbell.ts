/**
 * How one side of a ring sleeps until the other has published, and how it is woken. To sleep: `arm`, look once
 * more, sleep on what `arm` answered; to wake: publish, then `ring`. Whichever comes first, no wake-up is lost (I7).
 */
export interface Doorbell {
  readonly words: Int32Array<SharedArrayBuffer>
  /** Index of the word that is slept on. */
  readonly word: number
  /** Prepares for sleep, and answers the value on which alone sleep may begin. */
  arm(): number
  /** Takes that back when nobody sleeps after all. */
  disarm(): void
  /** Wakes whoever sleeps; call it after the publication. `false` when nobody will ever hear it again. */
  ring(): boolean
  /** Wakes whoever sleeps, known to be there, even if who rang last was terminated before it had notified. */
  wake(): void
}

/** Sleep on the other side's cursor itself: every publication notifies, as strangers may wait on that word too. */
export class CursorDoorbell implements Doorbell {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly word: number

  constructor(words: Int32Array<SharedArrayBuffer>, word: number) {
    this.words = words
    this.word = word
  }

  arm(): number {
    return Atomics.load(this.words, this.word) // I7: before the condition is looked at
  }

  disarm(): void {}

  ring(): boolean {
    Atomics.notify(this.words, this.word) // I6: after the store, or the woken would see nothing new
    return true
  }

  wake(): void {
    this.ring()
  }
}

const AWAKE = 0
const ASLEEP = 1
const DEAF = 2

/**
 * Sleep on a flag that the sleeper sets and whoever wakes it clears: nobody is notified unless somebody sleeps or
 * is about to, so a publication costs one load (I13). The same load tells that the sleeper has left for good.
 */
export class FlagDoorbell implements Doorbell {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly word: number

  constructor(words: Int32Array<SharedArrayBuffer>, word: number) {
    this.words = words
    this.word = word
  }

  arm(): number {
    Atomics.store(this.words, this.word, ASLEEP) // I13: before the condition is looked at; pairs with the load in ring
    return ASLEEP
  }

  disarm(): void {
    this.ring() // a flag left behind would cost the other side a notify
  }

  ring(): boolean {
    const state = Atomics.load(this.words, this.word) // I13: after the publication; pairs with arm
    if (state !== AWAKE && state !== DEAF) this.wake()
    return state !== DEAF
  }

  wake(): void {
    Atomics.compareExchange(this.words, this.word, ASLEEP, AWAKE) // I13: first, so that no sleep begins after the notify
    Atomics.notify(this.words, this.word) // I6, I13: only for somebody
  }

  /** Whoever sleeps here never will again, and tells so to whoever rings. */
  leave(): void {
    Atomics.store(this.words, this.word, DEAF) // I14: for good, as only ASLEEP is ever taken back
  }
}
