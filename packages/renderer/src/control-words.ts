// byte  word        who writes it                        range
//    0  rings       the worker that rings                counts, wraps
//    4  listening   main sets it, the ringing one clears 0, 1
//    8  one for     main                                 the number of the render that runs there; 0 once it is
//       each thread                                      cancelled

const RINGS = 0
const LISTENING = 1
const FIRST_RENDER = 2

/** A render's word, and the number that it holds for as long as the render is wanted. */
export type Ticket = readonly [word: number, number: number]

/** The words that the main thread and all workers of a pool share: one doorbell for all streams, and who is cancelled. */
export class ControlWords {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
  }

  static for(renders: number): ControlWords {
    return new ControlWords(new SharedArrayBuffer(4 * (FIRST_RENDER + renders)))
  }

  /** Main: the next ring from here on wakes {@link rung}. Look for work once more after this. */
  listen(): number {
    const seen = Atomics.load(this.#words, RINGS) // before the flag: a ring in between changes it
    Atomics.store(this.#words, LISTENING, 1) // before the look for work; pairs with the load in ring
    return seen
  }

  /** Main: resolves at the first ring since {@link listen} answered `seen`. */
  rung(seen: number): Promise<unknown> | undefined {
    const { async, value } = Atomics.waitAsync(this.#words, RINGS, seen)
    return async ? value : undefined
  }

  /** Worker: there is work for the main thread. Call it after that was published. */
  ring(): void {
    // Loaded after the publication: whoever listened before looks for work once more and finds it, or is seen here.
    if (Atomics.load(this.#words, LISTENING) === 0) return
    if (Atomics.exchange(this.#words, LISTENING, 0) === 0) return // another thread rings
    Atomics.add(this.#words, RINGS, 1)
    Atomics.notify(this.#words, RINGS)
  }

  /** Main: a render begins on this one of the words. */
  begin(render: number, number: number): Ticket {
    const word = FIRST_RENDER + render
    Atomics.store(this.#words, word, number)
    return [word, number]
  }

  /** Main: the render is not wanted any more. */
  cancel([word]: Ticket): void {
    Atomics.store(this.#words, word, 0)
    Atomics.notify(this.#words, word)
  }

  /** Worker: calls back once when the render is cancelled, until the answer is called. It keeps no thread alive. */
  onCancel([word, number]: Ticket, callback: () => void): () => void {
    let watching = true
    const look = (): void => {
      while (watching) {
        const { async, value } = Atomics.waitAsync(this.#words, word, number)
        if (async) {
          value.then(look)
          return
        }
        watching = false // the word holds something else
        callback()
      }
    }
    look()
    return () => {
      watching = false
      Atomics.notify(this.#words, word) // ends this thread's own wait, the only one there is
    }
  }
}
