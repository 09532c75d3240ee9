import { RendererError } from './error.js'

interface Waiting {
  start(): void
  refuse(error: Error): void
  since: number
}

/**
 * Lets as many tasks run as there are threads and keeps the others in order, so that Piscina's own queue stays empty:
 * a task's time runs from when it has a thread, and closing can wait for all of them.
 */
export class Admission {
  readonly #limit: number
  readonly #maxQueue: number
  readonly #waiting: Waiting[] = []
  #running = 0
  #waitMs = 0
  #closed = false
  #idle: (() => void) | undefined

  constructor(limit: number, maxQueue: number) {
    this.#limit = limit
    this.#maxQueue = maxQueue
  }

  get running(): number {
    return this.#running
  }

  /** Tasks that wait now, and how long the last one that got a thread had waited, in milliseconds. */
  get queue(): { size: number; waitMs: number } {
    return { size: this.#waiting.length, waitMs: this.#waitMs }
  }

  /** Runs `task` when a thread is free for it. Rejects with `QUEUE_FULL` or `RENDERER_CLOSED` without running it. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError()
    if (this.#running < this.#limit) this.#running++
    else await this.#turn()
    try {
      return await task()
    } finally {
      this.#next()
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
    for (const waiting of this.#waiting.splice(0)) waiting.refuse(closedError())
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#maxQueue) {
      throw new RendererError(
        'QUEUE_FULL',
        `Cannot render: ${this.#waiting.length} renders wait already, maxQueue is ${this.#maxQueue}`,
      )
    }
    return new Promise((start, refuse) => {
      this.#waiting.push({ start, refuse, since: performance.now() })
    })
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next) {
      this.#waitMs = performance.now() - next.since
      next.start()
    } else if (--this.#running === 0) {
      this.#idle?.()
    }
  }
}

const closedError = () => new RendererError('RENDERER_CLOSED', 'Cannot render: the renderer is closed')
