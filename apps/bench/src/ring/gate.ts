/** How long a contender may take for one measurement before it counts as hanging, in milliseconds. */
export const LIMIT_MS = 60_000

// Words of the gate, which both threads of a measurement share.
const STATE = 0
const NOTIFIES = 1
const SLEEPS = 2
const WORDS = 3

const STATES = { idle: 0, ready: 1, go: 2, done: 3, failed: 4 } as const
type State = keyof typeof STATES

/** Lets two threads begin at the same moment, and tells the one when the other has finished. */
export class Gate {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array<SharedArrayBuffer>

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(WORDS * 4)) {
    this.buffer = buffer
    this.#words = new Int32Array(buffer)
  }

  is(state: State): boolean {
    return Atomics.load(this.#words, STATE) === STATES[state]
  }

  become(state: State): void {
    Atomics.store(this.#words, STATE, STATES[state])
    Atomics.notify(this.#words, STATE)
  }

  /** Blocks while the gate has that state. */
  leave(state: State): void {
    if (Atomics.wait(this.#words, STATE, STATES[state], LIMIT_MS) === 'timed-out') {
      throw new Error(`the other thread has been ${state} for ${LIMIT_MS / 1000} s`)
    }
  }

  /** `Atomics.notify` calls that the other thread has counted. */
  get notifies(): number {
    return Atomics.load(this.#words, NOTIFIES)
  }

  /** How often the other thread has slept. */
  get sleeps(): number {
    return Atomics.load(this.#words, SLEEPS)
  }

  report({ notifies, sleeps }: { notifies: number; sleeps: number }): void {
    Atomics.store(this.#words, NOTIFIES, notifies)
    Atomics.store(this.#words, SLEEPS, sleeps)
  }
}

/** What every busy loop does when there is nothing to do yet: nearly nothing, but it does end. */
export class Patience {
  readonly #gate: Gate
  readonly #deadline = performance.now() + LIMIT_MS
  #tries = 0

  constructor(gate: Gate) {
    this.#gate = gate
  }

  retry(): void {
    if ((++this.#tries & 0xffff) === 0) this.#look()
  }

  #look(): void {
    if (this.#gate.is('failed')) throw new Error('the other thread has failed')
    if (performance.now() > this.#deadline) throw new Error(`no progress within ${LIMIT_MS / 1000} s`)
  }
}
