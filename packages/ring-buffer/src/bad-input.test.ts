import { describe, expect, test } from 'vitest'
import { channel, message, messages, wordsOf } from '../test/padded.js'
import {
  createMessageRing,
  createRingChannel,
  MessageReceiver,
  MessageSender,
  RingReader,
  RingWriter,
  SharedRingBuffer,
} from './index.js'

type Role = new (buffer: SharedArrayBuffer) => object

const withCode = (code: string) => expect.objectContaining({ name: 'RingBufferError', code })
const messageRing = () => createMessageRing({ capacity: 100 }).buffer
const byteChannel = () => createRingChannel({ capacity: 100 }).buffer
const roles: [string, Role, () => SharedArrayBuffer][] = [
  ['MessageSender', MessageSender, messageRing],
  ['MessageReceiver', MessageReceiver, messageRing],
  ['RingWriter', RingWriter, byteChannel],
  ['RingReader', RingReader, byteChannel],
]

describe.each(roles)('a %s', (_name, Role, create) => {
  /** The same bytes on other memory. */
  function copyTo<Memory extends ArrayBufferLike>(memory: Memory): Memory {
    new Uint8Array(memory).set(new Uint8Array(create()).subarray(0, memory.byteLength))
    return memory
  }

  test.each<[string, () => unknown]>([
    ['an ArrayBuffer', () => copyTo(new ArrayBuffer(1636))],
    ['a detached ArrayBuffer', () => detached(new ArrayBuffer(1636)).buffer],
    ['a view', () => new Int32Array(create(), 0, 384)],
    ['a growable buffer', () => copyTo(new SharedArrayBuffer(1636, { maxByteLength: 4000 }))],
    ['nothing', () => undefined],
    ['null', () => null],
    ['what createRingChannel answers', () => ({ buffer: create() })],
    ...[0, 4, 8, 1535].map(
      bytes =>
        [`${bytes} bytes of one`, () => copyTo(new SharedArrayBuffer(bytes))] as [string, () => unknown],
    ),
    ['the other kind', () => (create === messageRing ? byteChannel() : messageRing())],
    ['a plain ring', () => new SharedRingBuffer(4000).getSharedBuffer()],
  ])('is not made on %s', (_what, buffer) => {
    expect(() => new Role(buffer() as SharedArrayBuffer)).toThrow(TypeError)
  })

  test.each([
    ['magic', 0, TypeError],
    ['version', 1, TypeError],
    ['kind', 2, TypeError],
  ])('is not made on memory of a wrong %s', (_what, word, error) => {
    for (const value of [0, -1, 99]) {
      const buffer = create()
      wordsOf(buffer)[word] = value
      expect(() => new Role(buffer)).toThrow(error)
    }
  })

  test('I8: is not made where the declared capacity is another, or the cursors can not be', () => {
    for (const [word, value] of [
      [3, 0],
      [3, 99],
      [3, 101],
      [3, -1],
      [32, 101],
      [64, 1],
      [64, -1],
    ] as const) {
      const buffer = create()
      wordsOf(buffer)[word] = value
      expect(() => new Role(buffer)).toThrow(withCode('CORRUPT_HEADER'))
    }
    expect(() => new Role(copyTo(new SharedArrayBuffer(1536)))).toThrow(withCode('CORRUPT_HEADER'))
    expect(() => new Role(copyTo(new SharedArrayBuffer(1637)))).toThrow(withCode('CORRUPT_HEADER'))
  })
})

describe('I8: cursors that become impossible fail', () => {
  const wait = { timeoutMs: 1000 }
  const one = message(1)
  const members: [string, (ring: Both) => unknown][] = [
    ['trySend', ({ sender }) => sender.trySend(message(50))],
    ['send', ({ sender }) => sender.send(message(50), wait)],
    ['sendAsync', ({ sender }) => sender.sendAsync(message(50), wait)],
    ['sendBatch', ({ sender }) => sender.sendBatch([message(50)])],
    ['tryReceive', ({ receiver }) => receiver.tryReceive()],
    ['receive', ({ receiver }) => receiver.receive(wait)],
    ['receiveAsync', ({ receiver }) => receiver.receiveAsync(wait)],
    ['drain', ({ receiver }) => receiver.drain(() => expect.unreachable())],
    ['tryWrite', ({ writer }) => writer.tryWrite(message(50))],
    ['write', ({ writer }) => writer.write(message(50), wait)],
    ['writeAsync', ({ writer }) => writer.writeAsync(message(50), wait)],
    ['tryRead', ({ reader }) => reader.tryRead()],
    ['read', ({ reader }) => reader.read(1, wait)],
    ['readAsync', ({ reader }) => reader.readAsync(1, wait)],
    ['readInto', ({ reader }) => reader.readInto(one)],
  ]
  interface Both {
    sender: MessageSender
    receiver: MessageReceiver
    writer: RingWriter
    reader: RingReader
  }

  test.each(members)('%s, and nothing is written or read', async (_, call) => {
    const [ring, bytes] = [messages(100), channel(100)]
    for (const [write, read] of [
      [1000, 0],
      [0, 1],
      [-1, 0],
    ] as const) {
      for (const { buffer } of [ring, bytes]) {
        wordsOf(buffer)[32] = write
        wordsOf(buffer)[64] = read
      }
      await expect((async () => call({ ...ring, ...bytes }))()).rejects.toEqual(withCode('CORRUPT_HEADER'))
      for (const { buffer } of [ring, bytes])
        expect([wordsOf(buffer)[32], wordsOf(buffer)[64]]).toEqual([write, read])
    }
  })

  test.each(['sendAsync', 'receiveAsync', 'writeAsync', 'readAsync'])(
    '%s that waits already',
    async member => {
      const { buffer, wait } = begin(member)
      wordsOf(buffer)[32] = 1000
      wordsOf(buffer)[64] = 0
      for (const flag of [33, 65]) Atomics.notify(wordsOf(buffer), flag)
      await expect(wait).rejects.toEqual(withCode('CORRUPT_HEADER'))
    },
  )

  function begin(member: string): { buffer: SharedArrayBuffer; wait: Promise<unknown> } {
    const { buffer, sender, receiver } = messages(100)
    if (member === 'receiveAsync') return { buffer, wait: receiver.receiveAsync() }
    sender.trySend(message(96))
    if (member === 'sendAsync') return { buffer, wait: sender.sendAsync(message(50)) }
    const bytes = channel(100)
    if (member === 'readAsync') return { buffer: bytes.buffer, wait: bytes.reader.readAsync() }
    bytes.writer.tryWrite(message(100))
    return { buffer: bytes.buffer, wait: bytes.writer.writeAsync(message(50)) }
  }
})

test("I13: a sleeper's flag of any value loses no wake-up", async () => {
  for (const value of [2, 7, -1, 2 ** 31 - 1]) {
    const { buffer, writer, reader } = channel(8)
    const reading = reader.readAsync()
    wordsOf(buffer)[33] = value
    writer.tryWrite(message(8))
    expect(await reading).toEqual(message(8))
    writer.tryWrite(message(8))
    const writing = writer.writeAsync(message(3))
    wordsOf(buffer)[65] = value
    reader.tryRead()
    expect(await writing).toBe(3)
  }
})

describe('a count, a wait or a chunk that is none is a mistake, and changes nothing:', () => {
  const counts = [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, 1n] as number[]

  test.each(counts)('reading %s bytes of a channel', async max => {
    const { writer, reader } = channel(8)
    writer.tryWrite(message(3))
    expect(() => reader.tryRead(max)).toThrow(RangeError)
    expect(() => reader.read(max)).toThrow(RangeError)
    await expect(reader.readAsync(max)).rejects.toThrow(RangeError)
    expect(reader.tryRead(2 ** 53)).toEqual(message(3))
  })

  test.each([-1, Number.NaN, '5', null] as number[])('a timeout of %s', async timeoutMs => {
    const { sender, receiver } = messages(20)
    const { writer, reader } = channel(8)
    sender.trySend(message(12))
    writer.tryWrite(message(8))
    expect(() => sender.send(message(12), { timeoutMs })).toThrow(RangeError)
    expect(() => writer.write(message(1), { timeoutMs })).toThrow(RangeError)
    await expect(sender.sendAsync(message(12), { timeoutMs })).rejects.toThrow(RangeError)
    await expect(writer.writeAsync(message(1), { timeoutMs })).rejects.toThrow(RangeError)
    expect([receiver.tryReceive(), reader.tryRead()]).toEqual([message(12), message(8)])
    expect(() => receiver.receive({ timeoutMs })).toThrow(RangeError)
    expect(() => reader.read(1, { timeoutMs })).toThrow(RangeError)
    await expect(receiver.receiveAsync({ timeoutMs })).rejects.toThrow(RangeError)
    await expect(reader.readAsync(1, { timeoutMs })).rejects.toThrow(RangeError)
    // And none of them stands in the line.
    writer.tryWrite(message(1))
    expect([receiver.tryReceive(), reader.tryRead()]).toEqual([undefined, message(1)])
  })

  test.each(['text', null, {}, { aborted: true }] as never[])('the signal %s', async signal => {
    const { sender, receiver } = messages(20)
    expect(() => receiver.receive({ signal, timeoutMs: 50 })).toThrow(TypeError)
    await expect(receiver.receiveAsync({ signal, timeoutMs: 50 })).rejects.toThrow(TypeError)
    await expect(sender.sendAsync(message(1), { signal })).rejects.toThrow(TypeError)
    expect(receiver.tryReceive()).toBe(undefined)
  })

  test.each([
    'text',
    [1],
    null,
    undefined,
    new ArrayBuffer(2),
    new Uint16Array(2),
    new DataView(new ArrayBuffer(2)),
  ])('the chunk or target %s', async chunk => {
    const { writer, reader } = channel(8)
    const { sender, receiver } = messages(20)
    for (const call of [
      () => writer.tryWrite(chunk as never),
      () => writer.write(chunk as never),
      () => sender.send(chunk as never),
      () => reader.readInto(chunk as never),
    ])
      expect(call).toThrow(TypeError)
    await expect(writer.writeAsync(chunk as never)).rejects.toThrow(TypeError)
    await expect(sender.sendAsync(chunk as never)).rejects.toThrow(TypeError)
    expect([reader.tryRead(), receiver.tryReceive()]).toEqual([undefined, undefined])
  })

  test.each([undefined, null, {}, 'fn'])('draining into %s', fn => {
    const { sender, receiver } = messages(20)
    sender.trySend(message(3))
    expect(() => receiver.drain(fn as never)).toThrow(TypeError)
    expect(receiver.tryReceive()).toEqual(message(3))
  })
})

describe('a chunk whose memory was transferred away', () => {
  test('is empty, and takes nothing as a target', () => {
    const { writer, reader } = channel(8)
    const ring = new SharedRingBuffer(8)
    writer.tryWrite(message(3))
    ring.write(message(3))
    expect(writer.tryWrite(detached(new ArrayBuffer(5)))).toBe(true)
    expect(ring.write(detached(new ArrayBuffer(5)))).toBe(true)
    expect(() => reader.readInto(detached(new ArrayBuffer(5)))).toThrow(RangeError)
    expect(ring.readInto(detached(new ArrayBuffer(5)))).toBe(0)
    expect([reader.tryRead(), ring.read(8)]).toEqual([message(3), message(3)])
  })

  test('while it waited for room is an error, for its rest is gone', async () => {
    const { writer, reader } = channel(8)
    const chunk = message(20)
    const writing = writer.writeAsync(chunk)
    structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] })
    expect(reader.tryRead()).toEqual(message(20).subarray(0, 8))
    await expect(writing).rejects.toThrow(TypeError)
    expect(reader.tryRead()).toBe(undefined)
  })
})

test('a chunk that becomes shorter than what was written of it is an error, not a smaller count', async () => {
  const { writer, reader } = channel(8)
  const memory = new ArrayBuffer(20, { maxByteLength: 20 })
  const writing = writer.writeAsync(new Uint8Array(memory))
  memory.resize(4)
  expect(reader.tryRead()).toHaveLength(8)
  await expect(writing).rejects.toThrow(TypeError)
})

test('after an end, a failure or a cancellation every member says so', async () => {
  for (const close of ['end', 'fail', 'cancel'] as const) {
    const { writer, reader } = channel(8)
    const { sender, receiver } = messages(20)
    if (close === 'cancel') for (const side of [reader, receiver]) side.cancel()
    else if (close === 'end') for (const side of [writer, sender]) side.end()
    else for (const side of [writer, sender]) side.fail(new Error('boom'))
    const expected = close === 'cancel' ? withCode('CANCELLED') : expect.any(TypeError)
    for (const call of [
      () => writer.tryWrite(message(1)),
      () => writer.write(message(1)),
      () => sender.trySend(message(1)),
      () => sender.send(message(1)),
      () => sender.sendBatch([message(1)]),
    ])
      expect(call).toThrow(expected)
    await expect(writer.writeAsync(message(1))).rejects.toEqual(expected)
    await expect(sender.sendAsync(message(1))).rejects.toEqual(expected)
  }
})

// Trap: these refuse shared memory, or send its text instead of its bytes.
test.each<[string, () => Uint8Array]>([
  [
    'SharedRingBuffer.read',
    () => {
      const ring = new SharedRingBuffer(8)
      ring.write(message(3))
      return ring.read(8) as Uint8Array
    },
  ],
  [
    'RingReader.tryRead',
    () => {
      const { writer, reader } = channel(8)
      writer.tryWrite(message(3))
      return reader.tryRead() as Uint8Array
    },
  ],
  [
    'MessageReceiver.tryReceive',
    () => {
      const { sender, receiver } = messages(20)
      sender.trySend(message(3))
      return receiver.tryReceive() as Uint8Array
    },
  ],
])('what %s answers can be hashed, be a response, be a byte stream, and be transferred', async (_, take) => {
  const bytes = take() as Uint8Array<ArrayBuffer>
  expect(new Uint8Array(await new Response(bytes).arrayBuffer())).toEqual(message(3))
  expect((await crypto.subtle.digest('SHA-256', bytes)).byteLength).toBe(32)
  const stream = new ReadableStream({ type: 'bytes', start: source => source.enqueue(take() as never) })
  expect((await stream.getReader().read()).value).toEqual(message(3))
  expect(structuredClone(bytes, { transfer: [bytes.buffer] })).toEqual(message(3))
})

/** A view whose memory has gone elsewhere. */
function detached(buffer: ArrayBuffer): Uint8Array<ArrayBuffer> {
  const view = new Uint8Array(buffer)
  structuredClone(buffer, { transfer: [buffer] })
  return view
}
