import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Run } from './lane.js'

export type Call = { size: number; capacity: number } | { count: number }
export type Answer = Run | Error | undefined

/**
 * The lane of one contender, on a thread of its own. All contenders in one sending thread would share what the
 * compiler learns there: code that several of them go through, such as copying, would be compiled for all of them.
 */
export class SenderThread {
  readonly #worker: Worker

  /** @param file the worker's entry, which is told by `name` whose lane to be. */
  constructor(file: URL, name: string) {
    this.#worker = new Worker(file, { workerData: name })
  }

  async open(size: number, capacity: number): Promise<void> {
    await this.#ask({ size, capacity })
  }

  async run(count: number): Promise<Run> {
    return (await this.#ask({ count })) as Run
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  async #ask(call: Call): Promise<Answer> {
    const answered = once(this.#worker, 'message')
    this.#worker.postMessage(call)
    const [answer] = (await answered) as [Answer]
    if (answer instanceof Error) throw answer
    return answer
  }
}
