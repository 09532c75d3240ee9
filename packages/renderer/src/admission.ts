import { RendererError } from './error.js'

interface Waiting {
  start(): void
  refuse(reason: unknown): void
  since: number
}

/** A task's place, from when it asks for a thread to when it needs it no more. */
export interface Place {
  /** Resolves when a thread is free for it, `undefined` when one is at once. Rejects with why there will be none. */
  readonly turn: Promise<void> | undefined
  /** Gives up waiting: `turn` rejects with the reason. Does nothing once it has its turn. */
  withdraw(reason: unknown): void
  /** The thread is free again. Only after the turn, and once. */
  leave(): void
}

/**
 * Lets as many tasks run as there are threads and keeps the others in order, so that Piscina's own queue stays empty:
 * a task's time runs from when it has a thread, and closing can wait for all of them.
 */
export class Admission {
  readonly #limit: number
  readonly #maxQueue: number
  readonly #queueTimeout: number
  /** In the order of their coming. */
  readonly #waiting = new Set<Waiting>()
  #running = 0
  #waitMs = 0
  #closed = false
  #idle: (() => void) | undefined

  constructor(limit: number, maxQueue: number, queueTimeout: number) {
    this.#limit = limit
    this.#maxQueue = maxQueue
    this.#queueTimeout = queueTimeout
  }

  get running(): number {
    return this.#running
  }

  /** Tasks that wait now, and how long the last one that got a thread had waited, in milliseconds. */
  get queue(): { size: number; waitMs: number } {
    return { size: this.#waiting.size, waitMs: this.#waitMs }
  }

  /** Throws `QUEUE_FULL` or `RENDERER_CLOSED`. */
  enter(): Place {
    if (this.#closed) throw closedError()
    const leave = () => this.#next()
    if (this.#running < this.#limit) {
      this.#running++
      return { turn: undefined, withdraw() {}, leave }
    }
    if (this.#waiting.size >= this.#maxQueue) {
      throw new RendererError(
        'QUEUE_FULL',
        `Cannot render: ${this.#waiting.size} renders wait already, maxQueue is ${this.#maxQueue}`,
      )
    }
    const { promise: turn, resolve, reject } = withResolvers()
    const waiting: Waiting = {
      start() {
        clearTimeout(timer)
        resolve()
      },
      refuse(reason) {
        clearTimeout(timer)
        reject(reason)
      },
      since: performance.now(),
    }
    const withdraw = (reason: unknown) => {
      if (this.#waiting.delete(waiting)) waiting.refuse(reason)
    }
    const timer = setTimeout(() => withdraw(lateError(this.#queueTimeout)), this.#queueTimeout)
    this.#waiting.add(waiting)
    return { turn, withdraw, leave }
  }

  /** Runs `task` when a thread is free for it. Rejects as {@link enter} throws, and without running it. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const place = this.enter()
    await place.turn
    try {
      return await task()
    } finally {
      place.leave()
    }
  }

  /** Refuses what comes from now on; resolves when nothing runs or waits any more. */
  close(): Promise<void> {
    this.#closed = true
    if (this.#running === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#idle = resolve
    })
  }

  /** Refuses what still waits. */
  abandon(): void {
    for (const waiting of this.#waiting) waiting.refuse(closedError())
    this.#waiting.clear()
  }

  #next(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      this.#waitMs = performance.now() - next.since
      next.start()
      return
    }
    if (--this.#running === 0) this.#idle?.()
  }
}

function withResolvers(): { promise: Promise<void>; resolve(): void; reject(reason: unknown): void } {
  let resolve!: () => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

const closedError = () => new RendererError('RENDERER_CLOSED', 'Cannot render: the renderer is closed')

const lateError = (queueTimeout: number) =>
  new RendererError('QUEUE_TIMEOUT', `Cannot render: no thread was free within ${queueTimeout} ms`)
