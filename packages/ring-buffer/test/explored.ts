import { exploredInAll, type Thread } from '@scratchyjs/tooling/explore'
import { afterAll } from 'vitest'
import {
  createFloat64Ring,
  createMessageRing,
  createRingChannel,
  createSlotRing,
  Float64Consumer,
  Float64Producer,
  MessageReceiver,
  MessageSender,
  RingReader,
  RingWriter,
  SharedRingBuffer,
  type SideOptions,
  SlotConsumer,
  SlotProducer,
} from '../src/index.js'
import { startAt } from './padded.js'

afterAll(() => console.log(exploredInAll()))

/** With `EXPLORE=full` also what every run of the tests has no time for. */
export function inFull<Case>(...cases: Case[]): Case[] {
  return process.env.EXPLORE === 'full' ? cases : []
}

/** Milliseconds that a test with such cases may take. */
export const LONG = 300_000

/** All schedules, or those of so many preemptions; with such cases far more states are met than otherwise. */
export function upTo(preemptions: number | undefined): { preemptions?: number; limit: number } {
  return { ...(preemptions === undefined ? {} : { preemptions }), limit: 8_000_000 }
}

/** Cursors beside which a wrong wrap shows: of their sign bit, and of their 32 bits. */
export const EDGES: readonly number[] = [2 ** 31 - 1, 2 ** 32 - 1, 2 ** 32 - 2]

export const ringPlaces = { 0: 'writePos', 4: 'readPos', 8: 'data' }

export const paddedPlaces = {
  0: 'header',
  128: 'writePos',
  132: 'readerAsleep',
  256: 'readPos',
  260: 'writerAsleep',
  384: 'writerState',
  388: 'readerState',
  392: 'cancelWatched',
  512: "writer's error",
  1024: "reader's reason",
  1536: 'data',
}

/** Memory of a ring of bytes whose cursors begin at `from`, with `filled` written into it since. */
export function bytesAt(capacity: number, from = 0, filled: number[] = []): () => SharedArrayBuffer {
  return () => {
    const ring = new SharedRingBuffer(capacity)
    new Int32Array(ring.getSharedBuffer(), 0, 2).fill(from | 0)
    ring.write(Uint8Array.from(filled))
    return ring.getSharedBuffer()
  }
}

export function messagesAt(capacity: number, from = 0): () => SharedArrayBuffer {
  return () => startAt(createMessageRing({ capacity }).buffer, from)
}

export function channelAt(capacity: number, from = 0): () => SharedArrayBuffer {
  return () => startAt(createRingChannel({ capacity }).buffer, from)
}

export function slotsAt(slots: number, slotSize: number, from = 0): () => SharedArrayBuffer {
  return () => startAt(createSlotRing({ slots, slotSize }).buffer, from)
}

export function numbersAt(slots: number, from = 0): () => SharedArrayBuffer {
  return () => startAt(createFloat64Ring({ slots }).buffer, from)
}

/** A thread with one role, which is made before any thread acts. */
function role<Role>(
  make: (buffer: SharedArrayBuffer, options: SideOptions) => Role,
): (act: (role: Role) => unknown) => Thread {
  return act => (memory, peer) => {
    const made = make(memory, { spin: 0, peer }) // sleeping is what is explored, without a look before each sleep
    return () => act(made)
  }
}

export const ring: (act: (ring: SharedRingBuffer) => unknown) => Thread = role(memory =>
  SharedRingBuffer.fromSharedBuffer(memory),
)

export const sender: (act: (sender: MessageSender) => unknown) => Thread = role(
  (memory, options) => new MessageSender(memory, options),
)
export const receiver: (act: (receiver: MessageReceiver) => unknown) => Thread = role(
  (memory, options) => new MessageReceiver(memory, options),
)
export const writer: (act: (writer: RingWriter) => unknown) => Thread = role(
  (memory, options) => new RingWriter(memory, options),
)
export const reader: (act: (reader: RingReader) => unknown) => Thread = role(
  (memory, options) => new RingReader(memory, options),
)
export const slotProducer: (act: (producer: SlotProducer) => unknown) => Thread = role(
  (memory, options) => new SlotProducer(memory, options),
)
export const slotConsumer: (act: (consumer: SlotConsumer) => unknown) => Thread = role(
  (memory, options) => new SlotConsumer(memory, options),
)
export const numberProducer: (act: (producer: Float64Producer) => unknown) => Thread = role(
  (memory, options) => new Float64Producer(memory, options),
)
export const numberConsumer: (act: (consumer: Float64Consumer) => unknown) => Thread = role(
  (memory, options) => new Float64Consumer(memory, options),
)

/** What an act answers, or what its error says. */
export function outcome(act: () => unknown): unknown {
  try {
    return act()
  } catch (thrown) {
    return saying(thrown)
  }
}

/** What an error says of itself, and of its cause. */
export function saying(thrown: unknown): unknown {
  const { name, message, code, cause } = thrown as Error & { code?: unknown }
  if (cause === undefined) return [name, message, code]
  return [name, code, saying(cause)]
}

/** The answers of `next` until it answers `null` (left out) or throws (what the error says is the last one). */
export function untilEnd(next: () => Iterable<number> | null | undefined): unknown[] {
  const got: unknown[] = []
  try {
    for (let bytes = next(); bytes !== null; bytes = next()) if (bytes !== undefined) got.push([...bytes])
  } catch (thrown) {
    got.push(saying(thrown))
  }
  return got
}
