import type { Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'

/**
 * Knows which of a pool's threads still run: Piscina forgets a thread as soon as it ends or is told to end, but native
 * code may keep it writing to shared memory until its 'exit'.
 */
export class ThreadWatch {
  readonly #pool: Piscina
  readonly #alive = new Set<Worker>()
  readonly #dismissed = new WeakSet<Worker>()
  /** Threads that ended by themselves. */
  crashes = 0

  constructor(pool: Piscina) {
    this.#pool = pool
    pool.on('workerCreate', () => this.#adopt())
    queueMicrotask(() => this.#adopt())
  }

  /** Resolves when every thread that the pool has dropped by now has exited. */
  async departures(): Promise<void> {
    const kept = new Set(this.#pool.threads)
    const leaving = [...this.#alive].filter(thread => !kept.has(thread))
    await Promise.all(
      leaving.map(thread => new Promise<void>(resolve => thread.once('exit', () => resolve()))),
    )
  }

  /** Ends all threads of the pool, which replaces them. Only while nothing runs on them. */
  async dismissAll(): Promise<void> {
    await Promise.all(
      this.#pool.threads.map(thread => {
        this.#dismissed.add(thread)
        return thread.terminate()
      }),
    )
  }

  #adopt(): void {
    for (const thread of this.#pool.threads) {
      if (this.#alive.has(thread)) continue
      this.#alive.add(thread)
      // Before Piscina's own listener: afterwards the pool doesn't know the thread any more.
      const notice = () => {
        if (this.#pool.threads.includes(thread) && !this.#dismissed.has(thread)) this.crashes++
      }
      thread.prependListener('error', notice)
      thread.prependListener('exit', () => {
        notice()
        this.#alive.delete(thread)
      })
    }
  }
}
