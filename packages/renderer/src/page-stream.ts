import { Readable } from 'node:stream'
import type { PageHead } from './protocol.js'
import { HeadReader } from './stream-frame.js'
import type { Listener, StreamHub } from './stream-hub.js'
import type { StreamLane } from './stream-lanes.js'

/** Bytes read at a time, and those that a stream holds for its consumer beside the ring's. */
const CHUNK_BYTES = 65_536
/** After so many bytes the event loop gets a turn, however fast the worker is. */
const TURN_BYTES = 2 ** 20

/** What a stream tells whoever started it. */
export interface StreamEvents {
  /** The head has come: the stream may be used. */
  onHead(head: PageHead): void
  /** Nothing more can be read. The answer of the worker's task says why, if the worker knows. */
  onFailure(error: Error): void
  /** The consumer needs no more: everything was read, or it was destroyed before. */
  onClose(isWhole: boolean): void
}

/** The bytes of a page while they are made. It reads only what its consumer asks for, so a slow one slows the worker. */
export class PageStream extends Readable implements Listener {
  readonly #lane: StreamLane
  readonly #hub: StreamHub
  readonly #events: StreamEvents
  #head: HeadReader | undefined = new HeadReader()
  #turnBytes = 0
  #isWhole = false

  constructor(lane: StreamLane, hub: StreamHub, events: StreamEvents) {
    super({ highWaterMark: CHUNK_BYTES })
    this.#lane = lane
    this.#hub = hub
    this.#events = events
  }

  /** Begins to wait for the head. */
  open(): void {
    this.#hub.add(this)
  }

  /** Looks for the head now: the answer of the worker's task may be faster than the doorbell. */
  takeHead(): void {
    if (!this.#head || this.destroyed) return
    this.#hub.remove(this)
    this.#hub.add(this)
  }

  poll(): boolean {
    try {
      return this.#head ? this.#pollHead(this.#head) : this.#pollBytes()
    } catch (error) {
      this.#events.onFailure(error as Error)
      return true
    }
  }

  #pollHead(head: HeadReader): boolean {
    for (;;) {
      const bytes = this.#lane.reader.tryRead(head.missing)
      if (!bytes) return bytes === null
      const found = head.take(bytes)
      if (!found) continue
      this.#head = undefined
      this.#events.onHead(found)
      return true
    }
  }

  #pollBytes(): boolean {
    const bytes = this.#lane.reader.tryRead(CHUNK_BYTES)
    if (bytes === undefined) return false
    this.#turnBytes += bytes?.length ?? 0
    this.#isWhole = bytes === null
    this.push(bytes)
    return true
  }

  override _read(): void {
    if (this.#turnBytes < TURN_BYTES) {
      this.#hub.add(this)
      return
    }
    setImmediate(() => {
      this.#turnBytes = 0
      if (!this.destroyed) this.#hub.add(this)
    })
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#hub.remove(this)
    this.#lane.reader.cancel(error ?? 'the stream was destroyed') // counts for nothing after the end
    this.#events.onClose(this.#isWhole)
    callback(error)
  }
}
