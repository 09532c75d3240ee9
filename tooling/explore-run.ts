import type { Point } from './explore-history.js'
import type { Answer, ElementKind, Operation, Request } from './explore-memory.js'

/**
 * One side of a scenario. It is called with the memory as it is before any side acts, and makes its objects there;
 * the function that it returns acts, and whatever that does to the memory is under the explorer's control. It is
 * run again and again, so it must do the same whenever it sees the same, and everything it uses must be its own.
 * `peer` is aborted in its event loop when a thread has died.
 */
export type Thread = (memory: SharedArrayBuffer, peer: AbortSignal) => () => unknown

/** Thrown out of a thread at the access for which there is no answer yet. */
const PAUSE = { name: 'Pause' }

/** What `setTimeout` takes at most: the code under test uses it to hold the event loop open. */
const LONGEST_TIMER = 2 ** 31 - 1
/** Further than any deadline of a scenario. */
const JUMP_MS = 1e9

/** What a thread is told in its event loop when another one has died. */
export const GONE = 'gone'

export type View = Uint8Array | Int32Array | Float64Array

interface Timer {
  readonly id: number
  readonly callback: () => void
  readonly delay: number
  readonly due: number
}

const runs = new WeakMap<SharedArrayBuffer, Run>()
/** The run whose turn it is: what has no memory to be told by belongs to it. */
let current: Run | undefined

export function currentRun(): Run | undefined {
  return current
}

/** The run whose memory it is. */
export function runOn(memory: SharedArrayBuffer): Run | undefined {
  return runs.get(memory)
}

/** One execution of a thread from its start, along answers that are known, until it asks what isn't. */
export class Run {
  readonly memory: SharedArrayBuffer
  readonly #points: readonly Point[]
  readonly #clocked: boolean
  readonly #wakers = new Map<number, () => void>()
  readonly #timers = new Map<number, Timer>()
  readonly #peer = new AbortController()
  #position = 0
  #controlled = false
  #paused = false
  #clock = 0
  #timersMade = 0
  /** What it asked last. */
  request: Request | undefined
  /** What would have ended a process. */
  uncaught: { thrown: unknown } | undefined

  /** `points`: the way it goes. `clocked`: whether each look at the clock is a request too. */
  constructor(initial: Uint8Array, points: readonly Point[], clocked: boolean) {
    this.#points = points
    this.#clocked = clocked
    this.memory = new SharedArrayBuffer(initial.byteLength)
    new Uint8Array(this.memory).set(initial)
    runs.set(this.memory, this)
  }

  /** How many answers it has used. */
  get position(): number {
    return this.#position
  }

  /** It asked something, and goes no further. */
  get paused(): boolean {
    return this.#paused
  }

  /** Timers that may fire some day. */
  get timers(): number[] {
    return [...this.#timers.values()].filter(({ delay }) => delay < LONGEST_TIMER).map(({ id }) => id)
  }

  /** Whether any timer keeps its process alive. */
  get alive(): boolean {
    return this.#timers.size > 0
  }

  /** Executes `thread`. What it throws is its own. */
  start(thread: Thread): unknown {
    current = this
    const act = thread(this.memory, this.#peer.signal)
    this.#controlled = true
    return act()
  }

  /** Something comes from outside: a wake-up, a timer's end, or news of a death. */
  deliver(): void {
    const [what, id] = String(this.#answer(undefined)).split(' ')
    if (what === 'wake') this.#wakers.get(Number(id))?.()
    else if (what === GONE) this.#peer.abort()
    else this.#fire(Number(id))
  }

  /** A promise of it was rejected, or a listener threw, and nobody cares. */
  escaped(thrown: unknown): void {
    if (!this.#paused) this.uncaught ??= { thrown }
  }

  /** Puts an end to it: what is left of it in promises finds out at its next access. */
  abandon(): void {
    this.#paused = true
    if (current === this) current = undefined
  }

  ask(request: Request): Answer {
    if (this.#paused) throw PAUSE
    this.request = request
    if (this.#position === this.#points.length) {
      this.#paused = true
      throw PAUSE
    }
    return this.#answer(request)
  }

  #answer(request: Request | undefined): Answer {
    const { answer, before } = this.#points[this.#position] as Point
    const last = before?.next?.request
    if (last?.op !== request?.op || last?.byte !== request?.byte) {
      this.#paused = true // it is somewhere else than last time, which History finds out
      throw PAUSE
    }
    this.#position++
    return answer
  }

  access(op: Operation, { view, index }: { view: View; index: number }, args: Request['args']): Answer {
    const kind = view[Symbol.toStringTag] as ElementKind
    const bytes = view.BYTES_PER_ELEMENT
    return this.ask({ op, kind, byte: view.byteOffset + index * bytes, bytes, args })
  }

  /** Not before the thread acts: until then it sees the memory as it was at first. */
  get controls(): boolean {
    return this.#controlled
  }

  wait(view: View, index: number, expected: number, timeout = Number.POSITIVE_INFINITY): string {
    const answer = this.access('wait', { view, index }, [expected, timeout])
    if (answer === 'timed-out') this.#clock += timeout
    return answer as string
  }

  waitAsync(view: View, index: number, expected: number, timeout = Number.POSITIVE_INFINITY): object {
    if (timeout !== Number.POSITIVE_INFINITY) throw new Error('a waitAsync with a timeout is not modelled')
    const id = this.#position
    const answer = this.access('waitAsync', { view, index }, [expected])
    if (answer !== 'async') return { async: false, value: answer }
    return { async: true, value: new Promise<string>(resolve => this.#wakers.set(id, () => resolve('ok'))) }
  }

  now(): number {
    if (this.#clocked && this.#controlled) {
      const request = { op: 'now', kind: 'Int32Array', byte: 0, bytes: 0, args: [] } as const
      if (this.ask(request) === 'later') this.#clock += JUMP_MS
    }
    return this.#clock
  }

  setTimer(callback: () => void, delay: number): object {
    const id = this.#timersMade++
    this.#timers.set(id, { id, callback, delay, due: this.#clock + delay })
    const timer = { id, ref: () => timer, unref: () => timer }
    return timer
  }

  clearTimer(timer: object | undefined): void {
    this.#timers.delete((timer as { id?: number } | undefined)?.id ?? -1)
  }

  #fire(id: number): void {
    const timer = this.#timers.get(id)
    this.#timers.delete(id)
    this.#clock = Math.max(this.#clock, timer?.due ?? 0)
    timer?.callback()
  }
}
