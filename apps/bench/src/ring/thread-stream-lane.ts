import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import ThreadStream from 'thread-stream'
import { LIMIT_MS } from './gate.js'
import type { Run } from './lane.js'

/** thread-stream with the options that it has by itself, and so a buffer of 4 MiB whatever the size. */
export class ThreadStreamLane {
  readonly #received = new Int32Array(new SharedArrayBuffer(4))
  readonly #stream: ThreadStream
  readonly #ready: Promise<unknown>
  #text = ''

  constructor(file: URL) {
    this.#stream = new ThreadStream({
      filename: fileURLToPath(file),
      workerData: { received: this.#received.buffer },
    })
    this.#ready = once(this.#stream, 'ready', inTime())
  }

  async open(size: number): Promise<void> {
    await this.#ready
    this.#text = 'a'.repeat(size)
  }

  async run(count: number): Promise<Run> {
    const stream = this.#stream
    const text = this.#text
    const wanted = count * text.length
    Atomics.store(this.#received, 0, 0)
    const limit = inTime()
    const start = performance.now()
    for (let i = 0; i < count; i++) {
      if (!stream.write(text)) await once(stream, 'drain', limit)
    }
    // Letting the event loop turn without a pause shows the end soonest, and pushes the stream on.
    while (Atomics.load(this.#received, 0) < wanted) {
      await setImmediate()
      limit.signal.throwIfAborted()
    }
    const milliseconds = performance.now() - start
    if (Atomics.load(this.#received, 0) !== wanted) throw new Error(`more than ${wanted} characters came`)
    return { milliseconds, notifies: 0, sleeps: 0 }
  }

  async close(): Promise<void> {
    const closed = once(this.#stream, 'close', inTime())
    this.#stream.end()
    await closed
  }
}

function inTime(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(LIMIT_MS) }
}
