import { once } from 'node:events'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { CallCounts } from './call-counts.js'
import type { Contender, Link, Loop } from './contender.js'
import { Gate, LIMIT_MS, Patience } from './gate.js'

/** What one run came to. */
export interface Run {
  milliseconds: number
  /** Calls of both threads, when they were counted. */
  notifies: number
  /** How often the other thread slept, when that was counted. */
  sleeps: number
}

/** What the other thread is told. */
export type Order = { link: Link<unknown>; gate: SharedArrayBuffer } | { count: number; counting: boolean }

/** One contender between this thread, which sends, and a worker of its own, which sleeps between runs. */
export class Lane<Memory = SharedArrayBuffer> {
  readonly #contender: Contender<Memory>
  readonly #worker: Worker
  readonly #gate = new Gate()
  #port: MessagePort | undefined
  #produce: Loop | undefined

  /** @param file the worker's entry, which is told by `name` which contender to be. */
  constructor(file: URL, name: string, contender: Contender<Memory>) {
    this.#contender = contender
    this.#worker = new Worker(file, { workerData: name })
  }

  /** Gets both sides ready for messages of a size. */
  async open(size: number, capacity: number): Promise<void> {
    this.#port?.close()
    const { port1, port2 } = new MessageChannel()
    const link = { size, memory: this.#contender.memory(size, capacity) }
    this.#port = port1
    this.#produce = this.#contender.producer({ ...link, port: port1 })
    const order: Order = { link: { ...link, port: port2 }, gate: this.#gate.buffer }
    this.#worker.postMessage(order, [port2])
    await once(this.#worker, 'message', { signal: AbortSignal.timeout(LIMIT_MS) })
  }

  /** Sends `count` messages. The time ends when the last one was taken. */
  async run(count: number, { counting = false }: { counting?: boolean } = {}): Promise<Run> {
    const gate = this.#gate
    const patience = new Patience(gate)
    gate.become('idle')
    this.#worker.postMessage({ count, counting } satisfies Order)
    gate.leave('idle')
    const counts = counting ? new CallCounts() : undefined
    const produce = this.#produce as Loop
    try {
      const start = performance.now()
      gate.become('go')
      const carried = produce(count, patience)
      if (carried) await carried
      while (!gate.is('done')) patience.retry()
      const milliseconds = performance.now() - start
      counts?.stop()
      const own = counts ? counts.notifies - 1 : 0 // one is the gate's
      return { milliseconds, notifies: own + gate.notifies, sleeps: gate.sleeps }
    } catch (error) {
      if (!gate.is('failed')) throw error
      // The worker says what it was.
      const [reason] = await once(this.#worker, 'message', { signal: AbortSignal.timeout(LIMIT_MS) })
      throw reason
    } finally {
      counts?.stop()
    }
  }

  async close(): Promise<void> {
    this.#port?.close()
    await this.#worker.terminate()
  }
}
