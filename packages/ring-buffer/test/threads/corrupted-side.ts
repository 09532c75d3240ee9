import { parentPort, workerData } from 'node:worker_threads'
import { MessageReceiver, MessageSender, RingReader, RingWriter, SharedRingBuffer } from '../../src/index.js'
import { type Dice, dice } from './dice.js'
import type { Kind } from './stress.js'

/**
 * A thread that goes on with one side of a ring whose memory somebody else spoils, and counts what its calls came
 * to. Whatever is in the memory, they must come to something soon: bytes within what was asked for, or an error.
 */
const { kind, role, buffer, capacity, seed, stop } = workerData as {
  kind: Kind
  role: 'write' | 'read'
  buffer: SharedArrayBuffer
  capacity: number
  seed: number
  stop: Int32Array
}
const roll = dice(seed)
const wait = { timeoutMs: 5 }
const counts: Record<string, number> = {}

/** Checks what a read answered, and names it. */
function read(bytes: Uint8Array | number | undefined | null, most: number): string {
  if (bytes === undefined || bytes === null) return String(bytes)
  const length = typeof bytes === 'number' ? bytes : bytes.length
  if (length > most) throw new Error(`${length} bytes where at most ${most} can be`)
  return 'read'
}

function ringCalls(roll: Dice): (() => unknown)[] {
  const ring = SharedRingBuffer.fromSharedBuffer(buffer)
  if (role === 'write')
    return [
      () => ring.write(new Uint8Array(1 + roll(capacity))),
      () => ring.writev([new Uint8Array(roll(capacity)), new Uint8Array(1)]),
      () =>
        ring.commit(roll(1 + ring.reserve(1 + roll(capacity)).reduce((sum, span) => sum + span.length, 0))),
      () => ring.waitWritable(1 + roll(capacity), wait),
      () => ring.waitWritableAsync(1 + roll(capacity), wait),
    ]
  const most = 1 + roll(capacity)
  return [
    () => read(ring.read(most), most),
    () => read(ring.readInto(new Uint8Array(most)), most),
    () => {
      const there = ring.peek(most).reduce((sum, span) => sum + span.length, 0)
      ring.consume(there)
      return read(there, most)
    },
    () => read(ring.availableToRead, capacity),
    () => ring.waitReadable(1 + roll(capacity), wait),
    () => ring.waitReadableAsync(1 + roll(capacity), wait),
  ]
}

function messageCalls(roll: Dice): (() => unknown)[] {
  const message = () => new Uint8Array(roll(capacity - 7))
  if (role === 'write') {
    const sender = new MessageSender(buffer)
    return [
      () => sender.trySend(message()),
      () => sender.send(message(), wait),
      () => sender.sendAsync(message(), wait),
      () => sender.sendBatch([message(), message(), message()]),
    ]
  }
  const receiver = new MessageReceiver(buffer)
  const most = capacity - 8
  return [
    () => read(receiver.tryReceive(), most),
    () => read(receiver.receive(wait), most),
    async () => read(await receiver.receiveAsync(wait), most),
    () => {
      let bytes = 0
      receiver.drain(message => {
        bytes += 8 + message.length
      })
      return read(bytes, capacity)
    },
  ]
}

function channelCalls(roll: Dice): (() => unknown)[] {
  if (role === 'write') {
    const writer = new RingWriter(buffer)
    return [
      () => writer.tryWrite(new Uint8Array(1 + roll(capacity))),
      () => writer.write(new Uint8Array(1 + roll(2 * capacity)), wait),
      () => writer.writeAsync(new Uint8Array(1 + roll(2 * capacity)), wait),
    ]
  }
  const reader = new RingReader(buffer)
  const most = 1 + roll(capacity)
  return [
    () => read(reader.tryRead(most), most),
    () => read(reader.read(most, wait), most),
    () => read(reader.readInto(new Uint8Array(most)), most),
    async () => read(await reader.readAsync(most, wait), most),
  ]
}

/** The name of an error that memory may bring about; any other is thrown on. */
function nameOf(error: unknown): string {
  const { name, code } = error as Error & { code?: string }
  if (name === 'RingBufferError' && code) return code
  if (error instanceof TypeError && /^Cannot (attach a|write:|send:)/.test(error.message)) return 'TypeError'
  throw error
}

const begin = { ring: ringCalls, messages: messageCalls, channel: channelCalls }[kind]
let calls: (() => unknown)[] | undefined
while (Atomics.load(stop, 0) === 0) {
  let came: string
  try {
    calls ??= begin(roll)
    came = String(await (calls[roll(calls.length)] as () => unknown)())
  } catch (error) {
    came = nameOf(error)
    calls = undefined // a successor begins anew
    Atomics.wait(stop, 0, 0, 0.1)
  }
  counts[came] = (counts[came] ?? 0) + 1
}
parentPort?.postMessage(counts)
