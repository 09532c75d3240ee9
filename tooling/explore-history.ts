import { type Answer, isPlain, type Request } from './explore-memory.js'
import { GONE, Run, type Thread } from './explore-run.js'

/** What a thread does after a history: asks something, or is in its event loop, with or without its result. */
export type Next =
  | { readonly request: Request }
  | {
      readonly request: undefined
      readonly timers: readonly number[]
      readonly settled: boolean
      readonly value?: unknown
      /** It holds its event loop open. */
      readonly alive: boolean
    }

/** A pending `Atomics.waitAsync`. */
export interface AsyncWait {
  readonly id: number
  readonly byte: number
}

/** All that a thread has been told since its start, and so all that its next step depends on. */
export interface Point {
  readonly id: number
  readonly before: Point | undefined
  readonly answer: Answer
  readonly depth: number
  /** Waits that it has begun and heard nothing of. */
  readonly waits: readonly AsyncWait[]
  /** Whether it was told that a thread has died. */
  readonly bereaved: boolean
  /** Plain accesses since it last did anything else: nothing orders them before what others do now. */
  readonly plain: readonly Request[]
  readonly after: Map<Answer, Point>
  /** Unknown until {@link History.look}. */
  next: Next | undefined
}

/** The histories of one thread, found by running it from its start along each. */
export class History {
  readonly start: Point
  readonly #thread: Thread
  readonly #initial: Uint8Array
  readonly #clocked: boolean
  #points = 0

  constructor(thread: Thread, initial: Uint8Array, clocked: boolean) {
    this.#thread = thread
    this.#initial = initial
    this.#clocked = clocked
    this.start = this.#point({
      before: undefined,
      answer: undefined,
      depth: 0,
      waits: [],
      bereaved: false,
      plain: [],
    })
  }

  /** The history that goes on with `answer`. */
  follow(point: Point, answer: Answer): Point {
    let after = point.after.get(answer)
    if (after === undefined) {
      const request = point.next?.request
      after = this.#point({
        before: point,
        answer,
        depth: point.depth + 1,
        waits: waitsAfter(point, answer),
        bereaved: point.bereaved || (request === undefined && answer === GONE),
        plain: request !== undefined && isPlain(request) ? [...point.plain, request] : [],
      })
      point.after.set(answer, after)
    }
    return after
  }

  /** Finds out what comes next, at once unless the thread is asynchronous. Throws what the thread throws. */
  look(point: Point): Promise<void> | undefined {
    const points: Point[] = []
    for (let at = point; at.before !== undefined; at = at.before) points.push(at)
    const run = new Run(this.#initial, points.reverse(), this.#clocked)
    let value: unknown
    try {
      value = run.start(this.#thread)
    } catch (thrown) {
      if (!run.paused) {
        run.abandon()
        throw thrown
      }
    }
    if (isThenable(value)) return this.#lookAsync(point, run, value)
    this.#conclude(point, run, { settled: true, value })
    return undefined
  }

  async #lookAsync(point: Point, run: Run, promise: PromiseLike<unknown>): Promise<void> {
    let end: { value: unknown } | { thrown: unknown } | undefined
    promise.then(
      value => {
        end = { value }
      },
      thrown => {
        end = { thrown }
      },
    )
    await microtasks()
    while (!run.paused && run.position < point.depth) {
      try {
        run.deliver()
      } catch (thrown) {
        run.escaped(thrown)
      }
      await microtasks()
    }
    const thrown = run.uncaught ?? (end && 'thrown' in end ? end : undefined)
    if (!run.paused && thrown !== undefined) {
      run.abandon()
      throw thrown.thrown
    }
    this.#conclude(
      point,
      run,
      end && 'value' in end ? { settled: true, value: end.value } : { settled: false },
    )
  }

  #conclude(point: Point, run: Run, end: { settled: boolean; value?: unknown }): void {
    const { paused, request, position, timers, alive } = run
    run.abandon()
    if (position !== point.depth) throw new Error('a thread must do the same whenever it sees the same')
    point.next = paused && request ? { request } : { request: undefined, timers, alive, ...end }
  }

  #point(past: Omit<Point, 'id' | 'after' | 'next'>): Point {
    return { ...past, id: this.#points++, after: new Map(), next: undefined }
  }
}

function waitsAfter({ next, depth, waits }: Point, answer: Answer): readonly AsyncWait[] {
  if (next?.request?.op === 'waitAsync' && answer === 'async') {
    return [...waits, { id: depth, byte: next.request.byte }]
  }
  if (next?.request === undefined) return waits.filter(({ id }) => answer !== `wake ${id}`)
  return waits
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
}

/** Resolves when no promise has anything left to do. */
function microtasks(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
