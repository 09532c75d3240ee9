import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Times } from '../repeated.js'

/** What a client saw. Milliseconds. */
export interface Fetched extends Times {
  /** The median of the times to the first byte. */
  firstByte: number
}

export type Order =
  | { do: 'load'; url: string; milliseconds: number; atOnce: number }
  | { do: 'pace'; url: string; milliseconds: number; paceMs: number }
  | { do: 'crawl'; url: string; bytesPerSecond: number }
  | { do: 'stop' }

export type Answer = Fetched | { error: string } | Record<string, never>

/** Another process that asks for pages, one order at a time. */
export class LoadProcess {
  readonly #child: ChildProcess
  readonly #gone = new AbortController()

  constructor(file: URL) {
    this.#child = fork(file)
    this.#child.once('exit', code => this.#gone.abort(new Error(`the load process exited with ${code}`)))
  }

  /** Asks for pages for so long, on so many connections; rejects when an answer is not the page. */
  load(url: string, milliseconds: number, atOnce: number): Promise<Fetched> {
    return this.#follow({ do: 'load', url, milliseconds, atOnce }) as Promise<Fetched>
  }

  /** Asks once in `paceMs`, without waiting for answers. */
  pace(url: string, milliseconds: number, paceMs: number): Promise<Fetched> {
    return this.#follow({ do: 'pace', url, milliseconds, paceMs }) as Promise<Fetched>
  }

  /** Begins to read a page so slowly, and answers when it has asked for it. */
  async crawl(url: string, bytesPerSecond: number): Promise<void> {
    await this.#follow({ do: 'crawl', url, bytesPerSecond })
  }

  /** Leaves the page that it crawls through. */
  async stop(): Promise<void> {
    await this.#follow({ do: 'stop' })
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect()
  }

  async #follow(order: Order): Promise<Answer> {
    this.#child.send(order)
    const [answer] = (await once(this.#child, 'message', { signal: this.#gone.signal })) as [Answer]
    if ('error' in answer) throw new Error(answer.error)
    return answer
  }
}
