import { describe, expect, test } from 'vitest'
import { channel, message } from '../test/padded.js'

const withCode = (code: string) => expect.objectContaining({ name: 'RingBufferError', code })
const turn = () => new Promise(resolve => setImmediate(resolve))
const boom = { name: 'TypeError', message: 'boom', code: 'EBOOM' }
const error = () => Object.assign(new TypeError('boom'), { code: 'EBOOM' })

describe('a WritableStream', () => {
  test('aborted while a write waits for room fails the channel at once, after the bytes before', async () => {
    const { writer, reader } = channel(8)
    const sink = writer.toWritableStream().getWriter()
    const writing = sink.write(message(20)).catch(error => error)
    await turn()
    await sink.abort(error())
    expect(await writing).toMatchObject(boom)
    await expect(sink.closed).rejects.toMatchObject(boom)
    expect(reader.tryRead()).toEqual(message(20).subarray(0, 8))
    expect(() => reader.tryRead()).toThrow('boom')
  })

  test('whose pipe is aborted while it waits for room fails the channel after that write', async () => {
    const { writer, reader } = channel(8)
    const controller = new AbortController()
    const endless = new ReadableStream<Uint8Array>({ pull: source => source.enqueue(message(20)) })
    const piping = endless.pipeTo(writer.toWritableStream(), { signal: controller.signal })
    await reader.readAsync()
    controller.abort(error())
    // By the standard the pipe first waits for the write that has begun, so somebody must read on.
    const reading = (async () => {
      for await (const chunk of reader) expect(chunk.length).toBeLessThanOrEqual(8)
    })()
    await Promise.all([piping, reading].map(call => expect(call).rejects.toMatchObject(boom)))
  })

  test('that is given what is no bytes fails the channel, for no more will come', async () => {
    const { writer, reader } = channel(8)
    const sink = writer.toWritableStream().getWriter()
    await expect(sink.write('text' as never)).rejects.toThrow(TypeError)
    await expect(sink.closed).rejects.toThrow(TypeError)
    await expect(reader.readAsync(1, { timeoutMs: 1000 })).rejects.toThrow('chunk must be a Uint8Array')
  })

  test('that a pipe fails, fails the channel; with preventAbort it stays open', async () => {
    const { writer, reader } = channel(8)
    const failing = () => new ReadableStream<Uint8Array>({ pull: controller => controller.error(error()) })
    const stream = writer.toWritableStream()
    await expect(failing().pipeTo(stream, { preventAbort: true })).rejects.toMatchObject(boom)
    const sink = stream.getWriter()
    await sink.write(message(3))
    sink.releaseLock()
    expect(reader.tryRead()).toEqual(message(3))
    await expect(failing().pipeTo(stream)).rejects.toMatchObject(boom)
    expect(() => reader.tryRead()).toThrow('boom')
  })

  test('that a pipe ends, ends the channel; with preventClose others write on', async () => {
    const { writer, reader } = channel(8)
    const stream = writer.toWritableStream()
    const source = () => new Blob([message(3) as Uint8Array<ArrayBuffer>]).stream()
    await source().pipeTo(stream as WritableStream, { preventClose: true })
    expect([reader.tryRead(), reader.tryRead()]).toEqual([message(3), undefined])
    await source().pipeTo(stream as WritableStream)
    expect([reader.tryRead(), reader.tryRead()]).toEqual([message(3), null])
  })

  test('keeps its writes in order and closes after them', async () => {
    const { writer, reader } = channel(8)
    const sink = writer.toWritableStream().getWriter()
    const calls = [sink.write(message(12, 1)), sink.write(message(12, 2)), sink.close()]
    expect(sink.desiredSize).toBeLessThanOrEqual(0)
    const got: number[] = []
    for await (const chunk of reader) got.push(...chunk)
    await Promise.all(calls)
    expect(got).toEqual([...message(12, 1), ...message(12, 2)])
  })

  test('errors with the reason when the reader cancels, idle or waiting for room', async () => {
    for (const bytes of [0, 20]) {
      const { writer, reader } = channel(8)
      const sink = writer.toWritableStream().getWriter()
      const writing = sink.write(message(bytes)).catch(error => error)
      await turn()
      reader.cancel(error())
      await expect(sink.closed).rejects.toMatchObject(boom)
      if (bytes > 0) expect(await writing).toEqual(withCode('CANCELLED'))
      await expect(sink.write(message(1))).rejects.toMatchObject(boom)
    }
  })

  test('errors when its peer is gone', async () => {
    const controller = new AbortController()
    const { writer } = channel(8, { peer: controller.signal })
    const sink = writer.toWritableStream().getWriter()
    const writing = sink.write(message(20))
    await turn()
    controller.abort()
    await expect(writing).rejects.toEqual(withCode('PEER_GONE'))
    await expect(sink.closed).rejects.toEqual(withCode('PEER_GONE'))
  })
})

describe('a ReadableStream', () => {
  test('cancelled while it waits for bytes tells the writer why, and ends', async () => {
    const { writer, reader } = channel(8)
    const source = reader.toReadableStream().getReader()
    const reading = source.read()
    await turn()
    await source.cancel(error())
    expect(await reading).toEqual({ done: true, value: undefined })
    expect(await writer.cancelled).toMatchObject(boom)
    expect(() => writer.tryWrite(message(1))).toThrow(withCode('CANCELLED'))
  })

  test('whose lock is released while it waits loses no byte', async () => {
    const { writer, reader } = channel(8)
    const stream = reader.toReadableStream()
    const first = stream.getReader()
    const reading = first.read()
    first.releaseLock()
    await expect(reading).rejects.toThrow(TypeError)
    const second = stream.getReader()
    writer.tryWrite(message(3))
    expect(await second.read()).toEqual({ done: false, value: message(3) })
    await second.cancel()
  })

  test('has two branches that both get every byte; the writer is cancelled when both are', async () => {
    const { writer, reader } = channel(8)
    const [left, right] = reader.toReadableStream().tee()
    const writing = writer.writeAsync(message(30)).then(() => writer.end())
    const bytesOf = async (stream: ReadableStream) => [
      ...new Uint8Array(await new Response(stream as never).arrayBuffer()),
    ]
    const [a, b] = await Promise.all([bytesOf(left), bytesOf(right), writing])
    expect([a, b]).toEqual([[...message(30)], [...message(30)]])

    const other = channel(8)
    const [one, two] = other.reader.toReadableStream().tee()
    const cancelling = [one.cancel('first')]
    other.writer.tryWrite(message(3))
    const second = two.getReader()
    expect((await second.read()).value).toEqual(message(3))
    cancelling.push(second.cancel('second'))
    await Promise.all(cancelling)
    expect((await other.writer.cancelled).message).toBe('first,second')
  })

  test('left by its loop cancels; with preventCancel another goes on', async () => {
    const { writer, reader } = channel(8)
    const stream = reader.toReadableStream()
    for (const preventCancel of [true, false]) {
      writer.tryWrite(message(3))
      for await (const chunk of stream.values({ preventCancel })) {
        expect(chunk).toEqual(message(3))
        break
      }
    }
    expect((await writer.cancelled).message).toBe('cancelled')
  })

  test('whose target fails cancels with the reason', async () => {
    const { writer, reader } = channel(8)
    writer.tryWrite(message(3))
    const target = new WritableStream({
      write: () => {
        throw error()
      },
    })
    await expect(reader.toReadableStream().pipeTo(target)).rejects.toMatchObject(boom)
    expect(await writer.cancelled).toMatchObject(boom)
  })

  test("errors with the writer's error or a gone peer, after the bytes before it", async () => {
    const controller = new AbortController()
    for (const end of ['fail', 'die']) {
      const { writer, reader } = channel(8, { peer: controller.signal })
      const source = reader.toReadableStream().getReader()
      writer.tryWrite(message(3))
      if (end === 'fail') writer.fail(error())
      else controller.abort()
      expect((await source.read()).value).toEqual(message(3))
      const expected = end === 'fail' ? boom : { code: 'PEER_GONE' }
      await expect(source.read()).rejects.toMatchObject(expected)
      await expect(source.closed).rejects.toMatchObject(expected)
    }
  })
})

test('pipes through text streams, whose characters are torn apart on the way', async () => {
  const { writer, reader } = channel(3)
  const text = 'grüße 💥'.repeat(50)
  const piping = new Blob([text]).stream().pipeTo(writer.toWritableStream() as WritableStream)
  let got = ''
  const decoded = reader
    .toReadableStream()
    .pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>
  for await (const part of decoded) got += part
  await piping
  expect(got).toBe(text)
})
