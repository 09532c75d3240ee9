import { vi } from 'vitest'
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
  type SideOptions,
  SlotConsumer,
  SlotProducer,
} from '../src/index.js'

const WRITE_POS = 32
const READ_POS = 64

export const wordsOf = (buffer: SharedArrayBuffer): Int32Array => new Int32Array(buffer, 0, 384)

/** An empty padded ring whose cursors begin at `from`, as after that many bytes. */
export function startAt(buffer: SharedArrayBuffer, from: number): SharedArrayBuffer {
  const words = wordsOf(buffer)
  words[WRITE_POS] = from | 0
  words[READ_POS] = from | 0
  return buffer
}

/** Both sides of a message ring on one thread. */
export function messages(
  capacity: number,
  { from = 0, ...options }: SideOptions & { from?: number } = {},
): { buffer: SharedArrayBuffer; sender: MessageSender; receiver: MessageReceiver } {
  const { buffer } = createMessageRing({ capacity })
  startAt(buffer, from)
  return {
    buffer,
    sender: new MessageSender(buffer, options),
    receiver: new MessageReceiver(buffer, options),
  }
}

/** Both sides of a byte channel on one thread. */
export function channel(
  capacity: number,
  { from = 0, ...options }: SideOptions & { from?: number } = {},
): { buffer: SharedArrayBuffer; writer: RingWriter; reader: RingReader } {
  const { buffer } = createRingChannel({ capacity })
  startAt(buffer, from)
  return { buffer, writer: new RingWriter(buffer, options), reader: new RingReader(buffer, options) }
}

/** Both sides of a slot ring on one thread. */
export function slots(
  count: number,
  slotSize: number,
  { from = 0, ...options }: SideOptions & { from?: number } = {},
): { buffer: SharedArrayBuffer; producer: SlotProducer; consumer: SlotConsumer } {
  const { buffer } = createSlotRing({ slots: count, slotSize })
  startAt(buffer, from)
  return {
    buffer,
    producer: new SlotProducer(buffer, options),
    consumer: new SlotConsumer(buffer, options),
  }
}

/** Both sides of a ring of numbers on one thread. */
export function numbers(
  count: number,
  { from = 0, ...options }: SideOptions & { from?: number } = {},
): { producer: Float64Producer; consumer: Float64Consumer } {
  const { buffer } = createFloat64Ring({ slots: count })
  startAt(buffer, from)
  return { producer: new Float64Producer(buffer, options), consumer: new Float64Consumer(buffer, options) }
}

/** Bytes that tell their message and place. */
export function message(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => seed * 31 + index + 1)
}

/** How many notifies `act` makes. */
export async function notifies(act: () => unknown): Promise<number> {
  const spy = vi.spyOn(Atomics, 'notify')
  try {
    await act()
    return spy.mock.calls.length
  } finally {
    spy.mockRestore()
  }
}
