import type { FastifyBaseLogger } from 'fastify'
import type { PoolObserver, ThreadEvent } from './diagnostics.js'

/** Writes what happens to a pool's threads to Fastify's log, each once. */
export class ThreadLog implements PoolObserver {
  readonly #log: FastifyBaseLogger
  readonly #told = new WeakSet<object>()

  constructor(log: FastifyBaseLogger) {
    this.#log = log
  }

  onThread({ event, threadId, error, name }: ThreadEvent): void {
    if (event === 'started') return
    const about = { renderer: name, threadId }
    if (event === 'crashed') {
      if (typeof error === 'object' && error !== null) this.#told.add(error)
      this.#log.error({ ...about, err: error }, 'a rendering thread ended by itself and is replaced')
    } else if (event === 'killed') {
      this.#log.warn(about, 'a rendering thread was ended: its render did not end when it had to')
    } else this.#log.info(about, 'a rendering thread has done enough and is replaced')
  }

  onQuarantine(slot: number): void {
    this.#log.warn({ slot }, 'a slot of shared memory is out of use until the thread that had it has exited')
  }

  /** Piscina tells of an idle thread's crash, too. */
  onWorkerError(error: Error): void {
    if (!this.#told.has(error)) this.#log.error(error, 'the pool of rendering threads reports an error')
  }
}
