import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

export interface Request {
  ask: 'listen' | 'progress' | 'collect'
  /** Of the contender. */
  name: string
  port: number
}

/** What the other process heard of a contender. */
export interface Heard {
  count: number
  /** When the latest key came, in microseconds. */
  latest: number
  /** When each key came, by its number. */
  arrivals: number[]
}

/** The process that is told which keys are stale. */
export class Listener {
  readonly #child: ChildProcess
  readonly #port: number

  constructor(file: URL, port: number) {
    this.#child = fork(file, { serialization: 'advanced' })
    this.#port = port
  }

  /** Subscribes; rejects when the contender can't run. */
  async listen(name: string): Promise<void> {
    await this.#ask('listen', name)
  }

  /** Waits until `count` keys have come, and answers when each did. What is lost is an error. */
  async collect(name: string, count: number): Promise<Heard> {
    for (let waited = 0; (await this.#ask('progress', name)).count < count; waited += 1) {
      if (waited === 500) throw new Error(`${name} lost keys: ${count} were sent`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    return this.#ask('collect', name)
  }

  end(): void {
    this.#child.disconnect()
  }

  async #ask(ask: Request['ask'], name: string): Promise<Heard> {
    this.#child.send({ ask, name, port: this.#port } satisfies Request)
    const [answer] = (await once(this.#child, 'message')) as [Heard & { error?: string }]
    if (answer.error) throw new Error(answer.error)
    return answer
  }
}
