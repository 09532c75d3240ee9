import { createRingChannel, RingReader } from '@scratchyjs/ring-buffer'

/** The memory of one stream. */
export interface StreamLane {
  buffer: SharedArrayBuffer
  reader: RingReader
}

/** Rings for streams, used again when a stream is over: new memory for each would be zeroed and collected each time. */
export class StreamLanes {
  readonly #capacity: number
  readonly #kept: number
  readonly #free: SharedArrayBuffer[] = []
  #pristine: Uint8Array | undefined
  inUse = 0

  /** @param kept how many are kept for later streams */
  constructor(capacity: number, kept: number) {
    this.#capacity = capacity
    this.#kept = kept
  }

  take(): StreamLane {
    const buffer = this.#free.pop() ?? createRingChannel({ capacity: this.#capacity }).buffer
    this.#pristine ??= new Uint8Array(buffer.slice(0, buffer.byteLength - this.#capacity))
    this.inUse++
    return { buffer, reader: new RingReader(buffer) }
  }

  /** @param reusable whether no thread will ever touch it again: not while a killed one may still run */
  giveBack({ buffer }: StreamLane, reusable: boolean): void {
    this.inUse--
    if (!reusable || this.#free.length >= this.#kept) return
    // All that precedes a ring's data says how far it was used.
    new Uint8Array(buffer).set(this.#pristine as Uint8Array)
    this.#free.push(buffer)
  }
}
