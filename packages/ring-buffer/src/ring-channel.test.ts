import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inEveryGap } from '../test/gaps.js'
import { channel, message, notifies, wordsOf } from '../test/padded.js'
import { createMessageRing, createRingChannel, RingReader, RingWriter } from './index.js'

const withCode = (code: string) => expect.objectContaining({ name: 'RingBufferError', code })

test('a channel is made on memory for one, with a capacity of at least a byte', () => {
  for (const capacity of [0, -1, 1.5, 2 ** 31 + 1])
    expect(() => createRingChannel({ capacity })).toThrow(RangeError)
  const { buffer } = createMessageRing({ capacity: 16 })
  expect(() => new RingWriter(buffer)).toThrow(TypeError)
  expect(() => new RingReader(buffer)).toThrow(TypeError)
})

describe('I18: bytes arrive once and in order, whatever sizes they are written and read in', () => {
  test.each([1, 3, 7, 100, 1000])('with a capacity of %i', capacity => {
    fc.assert(
      fc.property(
        fc.constantFrom(capacity, 2 ** 31, 2 ** 32),
        fc.array(
          fc.tuple(fc.constantFrom('write', 'tryWrite', 'read', 'readInto'), fc.integer({ min: 1, max: 12 })),
        ),
        (near, steps) => {
          const { writer, reader } = channel(capacity, { from: near - capacity })
          const model: number[] = []
          let at = 0
          for (const [what, n] of steps) {
            const chunk = Uint8Array.from({ length: n }, (_, i) => at + i)
            const room = capacity - model.length
            if (what === 'tryWrite' || what === 'write') {
              const written = what === 'write' ? Math.min(n, room) : n <= room ? n : 0
              if (what === 'write') expect(writer.write(chunk, { timeoutMs: 0 })).toBe(written)
              else expect(writer.tryWrite(chunk)).toBe(written === n)
              model.push(...chunk.subarray(0, written))
              at += written
            } else {
              const expected = Uint8Array.from(model.splice(0, n))
              const got = what === 'read' ? reader.tryRead(n) : intoNew(reader, n)
              expect(got).toEqual(expected.length > 0 ? expected : undefined)
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  function intoNew(reader: RingReader, n: number): Uint8Array | undefined | null {
    const target = new Uint8Array(n)
    const bytes = reader.readInto(target)
    return typeof bytes === 'number' ? target.slice(0, bytes) : bytes
  }

  test('a chunk far beyond the capacity, whose writer does not block, behind one that waits', async () => {
    const { writer, reader } = channel(7)
    const writes = [writer.writeAsync(message(100, 1)), writer.writeAsync(message(20, 2))]
    expect(writer.tryWrite(message(1))).toBe(false)
    expect(() => writer.end()).toThrow(TypeError)
    const got: number[] = []
    while (got.length < 120) got.push(...((await reader.readAsync(5)) ?? []))
    expect(await Promise.all(writes)).toEqual([100, 20])
    expect(got).toEqual([...message(100, 1), ...message(20, 2)])
  })

  test('a writer or reader in any gap of the other', () => {
    const begin = () => {
      const pair = channel(8, { from: 2 ** 32 - 6 })
      pair.writer.tryWrite(message(3, 1))
      return { ...pair, got: [] as number[] }
    }
    inEveryGap({
      begin,
      act: ({ writer }) => writer.tryWrite(message(5, 2)),
      intrude: ({ reader, got }) => got.push(...(reader.tryRead() ?? [])),
      check: (_, { reader, got }) =>
        expect([...got, ...(reader.tryRead() ?? [])]).toEqual([...message(3, 1), ...message(5, 2)]),
    })
    inEveryGap({
      begin,
      act: ({ reader }) => reader.tryRead(),
      intrude: ({ writer }) => writer.write(message(8, 9), { timeoutMs: 0 }),
      check: got => expect([...(got ?? [])].slice(0, 3)).toEqual([...message(3, 1)]),
    })
  })
})

test('mistakes are told, and change nothing', () => {
  const { writer, reader } = channel(8)
  expect(() => writer.tryWrite('text' as never)).toThrow(TypeError)
  expect(() => reader.tryRead(0)).toThrow(RangeError)
  expect(() => reader.readInto(new Uint8Array())).toThrow(RangeError)
  expect(writer.tryWrite(message(9))).toBe(false)
  expect(writer.tryWrite(message(0))).toBe(true)
  expect(reader.tryRead()).toBe(undefined)
})

test('I13: nobody is notified while nobody waits', async () => {
  const { writer, reader } = channel(100)
  const made = await notifies(async () => {
    for (let i = 0; i < 20; i++) {
      writer.tryWrite(message(9))
      writer.write(message(9))
      await writer.writeAsync(message(9))
      reader.tryRead(20)
      reader.read(5)
      await reader.readAsync()
    }
  })
  expect(made).toBe(0)
})

describe('I14: after the bytes before it', () => {
  test('an end is null, in every way to read', async () => {
    const { writer, reader } = channel(8)
    writer.write(message(3))
    writer.end()
    expect(reader.tryRead()).toEqual(message(3))
    expect([
      reader.tryRead(),
      reader.read(),
      await reader.readAsync(),
      reader.readInto(new Uint8Array(1)),
    ]).toEqual([null, null, null, null])
    expect(() => writer.tryWrite(message(1))).toThrow(TypeError)
  })

  test("a failure is the writer's error", async () => {
    const { buffer, writer, reader } = channel(8)
    writer.write(message(3))
    writer.fail(Object.assign(new TypeError('boom'), { code: 'EBOOM' }))
    const chunks: Uint8Array[] = []
    const reading = (async () => {
      for await (const chunk of reader) chunks.push(chunk)
    })()
    await expect(reading).rejects.toMatchObject({ name: 'TypeError', message: 'boom', code: 'EBOOM' })
    expect(chunks).toEqual([message(3)])
    expect(wordsOf(buffer)[97]).toBe(0) // and is no cancellation
  })
})

describe('a reader that wants no more', () => {
  test('fails the writer, pending or later, with its reason', async () => {
    const { writer, reader } = channel(8)
    const writing = expect(writer.writeAsync(message(20))).rejects.toEqual(withCode('CANCELLED'))
    reader.cancel(new Error('enough'))
    await writing
    expect((await writer.cancelled).message).toBe('enough')
    expect(() => writer.tryWrite(message(1))).toThrow(withCode('CANCELLED'))
    expect(reader.tryRead()).toBe(null)
  })

  test('may just leave its loop; one that comes to the end does not cancel', async () => {
    const { writer, reader } = channel(8)
    writer.write(message(3))
    for await (const chunk of reader) {
      expect(chunk).toEqual(message(3))
      break
    }
    expect(() => writer.tryWrite(message(1))).toThrow(withCode('CANCELLED'))
    const other = channel(8)
    other.writer.write(message(3))
    other.writer.end()
    for await (const chunk of other.reader) expect(chunk).toEqual(message(3))
    expect(wordsOf(other.buffer)[97]).toBe(0)
  })
})

test('I17: a peer that is gone fails both sides, after the bytes before it', async () => {
  const controller = new AbortController()
  const { writer, reader } = channel(8, { peer: controller.signal })
  const writing = expect(writer.writeAsync(message(20))).rejects.toEqual(withCode('PEER_GONE'))
  controller.abort()
  await writing
  expect(reader.tryRead()).toEqual(message(20).subarray(0, 8))
  expect(() => reader.tryRead()).toThrow(withCode('PEER_GONE'))
  await expect(reader.readAsync()).rejects.toEqual(withCode('PEER_GONE'))
})

describe('web streams', () => {
  test('carry every byte, both ways, and their end', async () => {
    const { writer, reader } = channel(7)
    const source = new Blob([message(1000) as Uint8Array<ArrayBuffer>]).stream()
    const piping = source.pipeTo(writer.toWritableStream() as WritableStream)
    const got = new Uint8Array(await new Response(reader.toReadableStream() as never).arrayBuffer())
    await piping
    expect(got).toEqual(message(1000))
  })

  test('read nothing before they are read from', async () => {
    const { writer, reader } = channel(8)
    const stream = reader.toReadableStream()
    writer.write(message(8))
    await new Promise(resolve => setTimeout(resolve, 5))
    expect(writer.tryWrite(message(1))).toBe(false)
    expect(await stream.getReader().read()).toEqual({ done: false, value: message(8) })
  })

  test('carry failure and cancellation', async () => {
    const { writer, reader } = channel(8)
    const sink = writer.toWritableStream()
    await sink.abort(new Error('boom'))
    await expect(reader.toReadableStream().getReader().read()).rejects.toThrow('boom')
    const other = channel(8)
    const otherSink = other.writer.toWritableStream().getWriter()
    await other.reader.toReadableStream().cancel(new Error('enough'))
    await expect(otherSink.closed).rejects.toThrow('enough')
  })
})

describe('waiting for room without writing', () => {
  test('ends as soon as a whole chunk would fit', async () => {
    const { writer, reader } = channel(4)
    expect(await writer.waitWritableAsync(4)).toBe(true)
    writer.tryWrite(message(3))
    const waiting = writer.waitWritableAsync(3)
    reader.tryRead(1)
    expect(writer.tryWrite(message(1))).toBe(false) // whoever waits comes first
    reader.tryRead(1)
    expect(await waiting).toBe(true)
    expect(writer.tryWrite(message(3))).toBe(true)
    expect(await writer.waitWritableAsync(1, { timeoutMs: 5 })).toBe(false)
  })

  test('ends when nobody will make room any more', async () => {
    const { writer, reader } = channel(4)
    writer.tryWrite(message(4))
    const waiting = expect(writer.waitWritableAsync()).rejects.toEqual(withCode('CANCELLED'))
    reader.cancel('enough')
    await waiting
  })

  test('refuses what would never fit', async () => {
    const { writer } = channel(4)
    for (const bytes of [0, -1, 1.5, 5, Number.NaN]) {
      await expect(writer.waitWritableAsync(bytes)).rejects.toThrow(RangeError)
    }
  })
})
