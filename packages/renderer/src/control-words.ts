// byte  word        who writes it                        range
//    0  rings       the worker that rings                counts, wraps
//    4  listening   main sets it, the ringing one clears 0, 1
//    8  one for     main                                 the ticket of the render that runs; 0 once it is cancelled
//       each thread
//       two for each  the worker                       the ticket of the render that a thread began last, and when:
//       thread                                         milliseconds, wraps

const RINGS = 0
const LISTENING = 1
const FIRST_RENDER = 2

/** A ticket is a count and, in its low bits, which of the words it belongs to. */
const WORD_BITS = 10
export const MOST_THREADS: number = 2 ** WORD_BITS
const MOST_COUNT = 2 ** (31 - WORD_BITS) - 1

function wordOf(ticket: number): number {
  return FIRST_RENDER + (ticket & (MOST_THREADS - 1))
}

/** By a clock that all threads share. */
function milliseconds(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return (seconds * 1000 + Math.floor(nanoseconds / 1e6)) | 0
}

/** The words that the main thread and all workers of a pool share: one doorbell for all streams, and who is cancelled. */
export class ControlWords {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #threads: number
  /** Main: which of the renders' words are free. */
  readonly #free: number[]
  #count = 0

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
    this.#threads = (this.#words.length - FIRST_RENDER) / 3
    this.#free = Array.from({ length: this.#threads }, (_, index) => index)
  }

  static for(threads: number): ControlWords {
    return new ControlWords(new SharedArrayBuffer(4 * (FIRST_RENDER + 3 * threads)))
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

  /** Main: the ticket of a render that begins. There are no more at a time than threads. */
  begin(): number {
    this.#count = (this.#count % MOST_COUNT) + 1
    const ticket = (this.#count << WORD_BITS) | (this.#free.pop() as number)
    Atomics.store(this.#words, wordOf(ticket), ticket)
    return ticket
  }

  /** Main: the render is over. */
  end(ticket: number): void {
    this.#free.push(ticket & (MOST_THREADS - 1))
  }

  /** Worker: it has the render, now that it is set up. */
  began(ticket: number): void {
    const word = this.#begunOf(ticket)
    Atomics.store(this.#words, word + 1, milliseconds())
    Atomics.store(this.#words, word, ticket) // after the time; pairs with the load in renderMs
  }

  /** Main: how long a thread has had the render; `undefined` while none has. */
  renderMs(ticket: number): number | undefined {
    const word = this.#begunOf(ticket)
    if (Atomics.load(this.#words, word) !== ticket) return undefined
    return (milliseconds() - Atomics.load(this.#words, word + 1)) | 0
  }

  #begunOf(ticket: number): number {
    return FIRST_RENDER + this.#threads + 2 * (ticket & (MOST_THREADS - 1))
  }

  /** Main: the render is not wanted any more. */
  cancel(ticket: number): void {
    Atomics.store(this.#words, wordOf(ticket), 0)
    Atomics.notify(this.#words, wordOf(ticket))
  }

  /** Worker: calls back once when the render is cancelled, until the answer is called. It keeps no thread alive. */
  onCancel(ticket: number, callback: () => void): () => void {
    const word = wordOf(ticket)
    let watching = true
    const look = (): void => {
      while (watching) {
        const { async, value } = Atomics.waitAsync(this.#words, word, ticket)
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
