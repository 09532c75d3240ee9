import { Deadlines } from './deadlines.js'
import { RendererError } from './error.js'

/** Whoever wants a thread. One of the two is called, once: later, or before `enter` returns. */
export interface Entrant {
  /** It has a thread, after `waitMs` milliseconds, and calls {@link Admission.leave} once. */
  onTurn(waitMs: number): void
  /** There will be none: `QUEUE_FULL`, `QUEUE_TIMEOUT`, `RENDERER_CLOSED`, or why it was withdrawn. */
  onRefusal(reason: unknown): void
}

/**
 * Lets as many tasks run as there are threads and keeps the others in order, so that Piscina's own queue stays empty:
 * a task's time runs from when it has a thread, and closing can wait for all of them.
 */
export class Admission {
  readonly #limit: number
  readonly #maxQueue: number
  readonly #waiting: Deadlines<Entrant>
  #running = 0
  #waitMs = 0
  #closed = false
  #idle: (() => void) | undefined
  /** Somebody wants all threads for itself; whoever comes waits. */
  #alone: Promise<unknown> | undefined

  constructor(limit: number, maxQueue: number, queueTimeout: number) {
    this.#limit = limit
    this.#maxQueue = maxQueue
    this.#waiting = new Deadlines(queueTimeout, entrant => {
      entrant.onRefusal(lateError(queueTimeout))
      return 0
    })
  }

  get running(): number {
    return this.#running
  }

  /** Tasks that wait now, and how long the last one that got a thread had waited, in milliseconds. */
  get queue(): { size: number; waitMs: number } {
    return { size: this.#waiting.size, waitMs: this.#waitMs }
  }

  enter(entrant: Entrant): void {
    if (this.#closed) entrant.onRefusal(closedError())
    else if (this.#isFree) this.#start(entrant, 0)
    else if (this.#waiting.size < this.#maxQueue) this.#waiting.add(entrant)
    else entrant.onRefusal(fullError(this.#waiting.size, this.#maxQueue))
  }

  /** The same for one that had a thread and did nothing: nobody is served before it, and no queue is full. */
  enterFirst(entrant: Entrant): void {
    if (this.#isFree) this.#start(entrant, 0)
    else this.#waiting.addFirst(entrant)
  }

  /** It wants no thread any more. Does nothing once it has its turn. */
  withdraw(entrant: Entrant, reason: unknown): void {
    if (this.#waiting.delete(entrant) !== undefined) entrant.onRefusal(reason)
  }

  /** A thread is free again. */
  leave(): void {
    this.#running--
    if (!this.#alone) this.#startNext()
    if (this.#running === 0) this.#idle?.()
  }

  get #isFree(): boolean {
    return this.#running < this.#limit && !this.#alone
  }

  #start(entrant: Entrant, waitMs: number): void {
    this.#running++
    entrant.onTurn(waitMs)
  }

  #startNext(): void {
    for (const next of this.#waiting.items()) {
      if (this.#running >= this.#limit) return
      this.#waitMs = performance.now() - (this.#waiting.delete(next) as number)
      this.#start(next, this.#waitMs)
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

  /** Runs `task` when a thread is free for it. Rejects without running it when there will be none. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    await new Promise<number>((onTurn, onRefusal) => this.enter({ onTurn, onRefusal }))
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
    for (const entrant of [...this.#waiting.items()]) this.withdraw(entrant, closedError())
  }

  #whenIdle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#idle = resolve
    })
  }
}

const closedError = () => new RendererError('RENDERER_CLOSED', 'Cannot render: the renderer is closed')

const fullError = (waiting: number, maxQueue: number) =>
  new RendererError('QUEUE_FULL', `Cannot render: ${waiting} renders wait already, maxQueue is ${maxQueue}`)

const lateError = (queueTimeout: number) =>
  new RendererError('QUEUE_TIMEOUT', `Cannot render: no thread was free within ${queueTimeout} ms`)
