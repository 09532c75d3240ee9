import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import type { Diagnostics } from './diagnostics.js'

/**
 * Knows which of a pool's threads still run: Piscina forgets a thread as soon as it ends or is told to end, but native
 * code may keep it writing to shared memory until its 'exit'.
 */
export class ThreadWatch {
  readonly #pool: Piscina
  readonly #diagnostics: Diagnostics
  readonly #alive = new Set<Worker>()
  readonly #dismissed = new WeakSet<Worker>()
  /** Threads that ended by themselves. */
  crashes = 0

  constructor(pool: Piscina, diagnostics: Diagnostics) {
    this.#pool = pool
    this.#diagnostics = diagnostics
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

  /**
   * Resolves when no thread is starting any more, after `timeoutMs` at most. One that is can't be torn down yet, and
   * ending it while it links its modules can make Node abort the whole process. Only while nothing runs on them.
   */
  async started(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs
    // Piscina tells when one has started, but not when one fails to.
    while (this.#pool.idleThreads < this.#pool.threads.length && performance.now() < end) await delay(5)
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
      const { threadId } = thread
      this.#diagnostics.thread('started', threadId)
      // Before Piscina's own listener: afterwards the pool doesn't know the thread any more.
      const notice = (error: Error) => {
        if (!this.#pool.threads.includes(thread) || this.#dismissed.has(thread)) return
        this.crashes++
        this.#diagnostics.thread('crashed', threadId, error)
      }
      thread.prependListener('error', notice)
      thread.prependListener('exit', code => {
        notice(new Error(`The thread exited with code ${code}`))
        this.#alive.delete(thread)
      })
    }
  }
}
