import { getHeapStatistics } from 'node:v8'
import type { Recycling } from './protocol.js'

/** Looking at the heap costs some 10 µs. */
const HEAP_EVERY = 16

/** Knows when its thread has done enough. */
export class ThreadAge {
  readonly #limits: Recycling
  #tasks = 0

  constructor(limits: Recycling) {
    this.#limits = limits
  }

  /** Whether the render that just ended was the thread's last. */
  isSpent(): boolean {
    this.#tasks++
    const { tasks = Number.POSITIVE_INFINITY, heapMb } = this.#limits
    if (this.#tasks >= tasks) return true
    if (heapMb === undefined || this.#tasks % HEAP_EVERY !== 0) return false
    return getHeapStatistics().used_heap_size > heapMb * 2 ** 20
  }
}
