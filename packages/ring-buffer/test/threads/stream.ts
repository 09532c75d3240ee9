import type { SharedRingBuffer } from '../../src/index.js'

/** How a side behaves when the ring is full or empty. */
export type Patience = 'spinning' | 'parked' | 'async'

export interface Stream {
  patience: Patience
  /** The stretch of the endless byte sequence to carry. */
  from: number
  to: number
}

/** Byte number `index` of the sequence: a byte lost, doubled, moved or torn does not match. */
export function byteAt(index: number): number {
  return Math.imul(index, 0x9e3779b1) >>> 24
}

/** A chunk size for a place in the stream: mostly small, at times all that the ring holds. */
function sizeAt(index: number, capacity: number): number {
  const dice = byteAt(index + 1_000_003)
  return 1 + (dice < 8 ? capacity - 1 : Math.floor((dice * Math.min(capacity, 400)) / 256))
}

export async function produce(ring: SharedRingBuffer, { patience, from, to }: Stream): Promise<void> {
  for (let at = from; at < to; ) {
    const chunk = new Uint8Array(Math.min(to - at, sizeAt(at, ring.capacity)))
    for (let i = 0; i < chunk.length; i++) chunk[i] = byteAt(at + i)
    while (!send(ring, chunk, at)) {
      if (patience === 'parked') ring.waitWritable(chunk.length)
      if (patience === 'async') await ring.waitWritableAsync(chunk.length)
    }
    at += chunk.length
  }
}

/** Checks every byte, and throws at the first that is another. */
export async function consume(ring: SharedRingBuffer, { patience, from, to }: Stream): Promise<void> {
  const target = new Uint8Array(ring.capacity)
  for (let at = from; at < to; ) {
    const bytes = receive(ring, target.subarray(0, Math.min(to - at, sizeAt(at, ring.capacity))), at)
    if (bytes === 0) {
      if (patience === 'parked') ring.waitReadable()
      if (patience === 'async') await ring.waitReadableAsync()
    }
    for (let i = 0; i < bytes; i++) {
      if (target[i] !== byteAt(at + i))
        throw new Error(`byte ${at + i} is ${target[i]}, not ${byteAt(at + i)}`)
    }
    at += bytes
  }
}

/** By turns with `write` and in place. */
function send(ring: SharedRingBuffer, chunk: Uint8Array, at: number): boolean {
  if (at % 2 === 0) return ring.write(chunk)
  const [first, second] = ring.reserve(chunk.length)
  if (!first) return false
  first.set(chunk.subarray(0, first.length))
  second?.set(chunk.subarray(first.length))
  ring.commit(chunk.length)
  return true
}

/** By turns with `readInto` and in place. */
function receive(ring: SharedRingBuffer, target: Uint8Array, at: number): number {
  if (at % 2 === 0) return ring.readInto(target)
  let bytes = 0
  for (const span of ring.peek(target.length)) {
    target.set(span, bytes)
    bytes += span.length
  }
  ring.consume(bytes)
  return bytes
}
