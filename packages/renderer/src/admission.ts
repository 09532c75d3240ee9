import { RendererError } from './error.js'

/** A task that waits for a thread. */
export interface Waiting {
  /** Resolves when a thread is free for it. Rejects with why there will be none. */
  readonly turn: Promise<void>
  /** Gives up: `turn` rejects with the reason. Does nothing once it has its turn. */
  withdraw(reason: unknown): void
}

interface Waiter extends Waiting {
  start(): void
  since: number
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
  readonly #waiting = new Set<Waiter>()
  #running = 0
  #waitMs = 0
  #closed = false
  #idle: (() => void) | undefined
  /** Somebody wants all threads for itself; whoever comes waits. */
  #alone: Promise<unknown> | undefined

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

  /**
   * Asks for a thread: `undefined` when one is free at once. Call {@link leave} once after that, or after the turn.
   * Throws `QUEUE_FULL` or `RENDERER_CLOSED`.
   */
  enter(): Waiting | undefined {
    if (this.#closed) throw closedError()
    if (this.#running < this.#limit && !this.#alone) {
      this.#running++
      return undefined
    }
    if (this.#waiting.size >= this.#maxQueue) {
      throw new RendererError(
        'QUEUE_FULL',
        `Cannot render: ${this.#waiting.size} renders wait already, maxQueue is ${this.#maxQueue}`,
      )
    }
    return this.#queue()
  }

  /** The same for a task that had a thread and did nothing: nobody is served before it, and no queue is full. */
  enterFirst(): Waiting | undefined {
    if (this.#running < this.#limit && !this.#alone) {
      this.#running++
      return undefined
    }
    const others = [...this.#waiting]
    this.#waiting.clear()
    const waiting = this.#queue()
    for (const other of others) this.#waiting.add(other)
    return waiting
  }

  /** A thread is free again. */
  leave(): void {
    this.#running--
    if (!this.#alone) this.#startNext()
    if (this.#running === 0) this.#idle?.()
  }

  #startNext(): void {
    for (const next of this.#waiting) {
      if (this.#running >= this.#limit) return
      this.#running++
      this.#waiting.delete(next)
      this.#waitMs = performance.now() - next.since
      next.start()
    }
  }

  /** Runs `task` once nothing else runs, and nothing else meanwhile. */
  async alone(task: () => Promise<void>): Promise<void> {
    while (this.#alone) await this.#alone.catch(() => {})
    if (this.#closed) return
    this.#alone = this.#whenIdle().then(task)
    try {
      await this.#alone
    } finally {
      this.#alone = undefined
      this.#startNext()
      if (this.#running === 0) this.#idle?.()
    }
  }

  /** Runs `task` when a thread is free for it. Rejects as {@link enter} throws, and without running it. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.enter()?.turn
    try {
      return await task()
    } finally {
      this.leave()
    }
  }

  /** Refuses what comes from now on; resolves when nothing runs or waits any more. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#alone) await this.#alone.catch(() => {})
    await this.#whenIdle()
  }

  /** Refuses what still waits. */
  abandon(): void {
    for (const waiter of this.#waiting) waiter.withdraw(closedError())
  }

  #whenIdle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#idle = resolve
    })
  }

  #queue(): Waiting {
    let start!: () => void
    let refuse!: (reason: unknown) => void
    const turn = new Promise<void>((resolve, reject) => {
      start = resolve
      refuse = reject
    })
    const withdraw = (reason: unknown) => {
      if (!this.#waiting.delete(waiter)) return
      clearTimeout(timer)
      refuse(reason)
    }
    const timer = setTimeout(() => withdraw(lateError(this.#queueTimeout)), this.#queueTimeout)
    const waiter: Waiter = {
      turn,
      withdraw,
      start() {
        clearTimeout(timer)
        start()
      },
      since: performance.now(),
    }
    this.#waiting.add(waiter)
    return waiter
  }
}

const closedError = () => new RendererError('RENDERER_CLOSED', 'Cannot render: the renderer is closed')

const lateError = (queueTimeout: number) =>
  new RendererError('QUEUE_TIMEOUT', `Cannot render: no thread was free within ${queueTimeout} ms`)
