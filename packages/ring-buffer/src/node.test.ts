import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { finished, pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { channel, message, wordsOf } from '../test/padded.js'
import type { RingReader } from './index.js'
import { toReadable, toWritable } from './node.js'

const withCode = (code: string) => expect.objectContaining({ name: 'RingBufferError', code })
const boom = { name: 'TypeError', message: 'boom', code: 'EBOOM' }
const error = () => Object.assign(new TypeError('boom'), { code: 'EBOOM' })
const premature = { code: 'ERR_STREAM_PREMATURE_CLOSE' }
const CANCELLED = 97
const pause = () => new Promise(resolve => setTimeout(resolve, 100))
const turn = () => new Promise(resolve => setImmediate(resolve))

describe('every byte goes', () => {
  test.each([1, 7, 1000, 100_000])(
    'from a file through a ring of %i bytes, gzip and gunzip into a file',
    async capacity => {
      const folder = await mkdtemp(join(tmpdir(), 'ring-streams-'))
      onTestFinished(() => rm(folder, { recursive: true }))
      const bytes = randomBytes(Math.min(1_000_000, capacity * 3000))
      await writeFile(join(folder, 'in'), bytes)
      const { writer, reader } = channel(capacity, { from: 2 ** 32 - 2 * capacity })
      await Promise.all([
        pipeline(createReadStream(join(folder, 'in')), toWritable(writer)),
        pipeline(toReadable(reader), createGzip(), createGunzip(), createWriteStream(join(folder, 'out'))),
      ])
      expect(Buffer.compare(await readFile(join(folder, 'out')), bytes)).toBe(0)
    },
  )

  test('corked chunks in their order, each with its callback', async () => {
    const { writer, reader } = channel(7)
    const stream = toWritable(writer)
    const done: number[] = []
    stream.cork()
    for (let n = 1; n <= 5; n++) stream.write(message(n * 3, n), () => done.push(n))
    stream.end()
    const got = await buffer(toReadable(reader))
    expect([...got]).toEqual([1, 2, 3, 4, 5].flatMap(n => [...message(n * 3, n)]))
    expect(done).toEqual([1, 2, 3, 4, 5])
  })

  test('strings in the encoding that they are written and read in', async () => {
    const { writer, reader } = channel(1)
    const stream = toWritable(writer)
    stream.write('c3bc', 'hex')
    stream.setDefaultEncoding('utf16le').write('é')
    stream.end('💥', 'utf8')
    const got = toReadable(reader).setEncoding('latin1')
    expect(await text(got)).toBe(Buffer.from('ü\u00e9\0💥').toString('latin1').replace('Ã©', 'é'))
  })

  test('characters that are torn apart on the way', async () => {
    const { writer, reader } = channel(3)
    toWritable(writer).end('grüße 💥'.repeat(100))
    const chunks = await toReadable(reader).setEncoding('utf8').toArray()
    expect(chunks.length).toBeGreaterThan(100)
    expect(chunks.join('')).toBe('grüße 💥'.repeat(100))
  })
})

describe('backpressure', () => {
  test('reaches who writes: it waits for drain, and what waits is bounded', async () => {
    const { writer, reader } = channel(10)
    const stream = toWritable(writer, { highWaterMark: 4 })
    expect(stream.writableHighWaterMark).toBe(4)
    expect(stream.write(message(10))).toBe(false)
    await once(stream, 'drain')
    expect(stream.write(message(10, 2))).toBe(false)
    let drained = false
    stream.once('drain', () => {
      drained = true
    })
    await turn()
    expect(drained).toBe(false)
    reader.tryRead()
    await once(stream, 'drain')
    expect(reader.tryRead()).toEqual(message(10, 2))
    stream.destroy()
  })

  test('reaches the ring: nothing is read before it is asked for, and then no more than the mark', async () => {
    const { writer, reader } = channel(10)
    const stream = toReadable(reader, { highWaterMark: 4 })
    writer.tryWrite(message(10))
    await turn()
    expect(writer.tryWrite(message(1))).toBe(false)
    stream.once('readable', () => {})
    await once(stream, 'readable')
    await turn()
    expect(writer.tryWrite(message(5))).toBe(false)
    expect(writer.tryWrite(message(4))).toBe(true)
    expect([...(stream.read() as Buffer)]).toEqual([...message(4)])
    stream.destroy()
  })

  test('of a slow HTTP client stops the source, and its going away cancels', async () => {
    const { writer, reader } = channel(10_000)
    let made = 0
    const source = new Readable({
      read() {
        made += 10_000
        this.push(Buffer.alloc(10_000, 'x'))
      },
    })
    const filling = pipeline(source, toWritable(writer)).catch(error => error)
    let answering: Promise<unknown> = Promise.resolve()
    const server = createServer((_, response) => {
      answering = pipeline(toReadable(reader), response).catch(error => error)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => {
      server.close()
    })
    const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    await once(response, 'readable')
    // Kernel buffers take some megabytes, then nothing moves any more.
    for (let before = -1; before !== made && made < 50_000_000; await pause()) before = made
    expect(made).toBeLessThan(50_000_000)
    const stalledAt = made
    for (let got = 0; got < 8_000_000; ) {
      const chunk: Buffer | null = response.read()
      if (chunk) got += chunk.length
      else await once(response, 'readable')
    }
    expect(made).toBeGreaterThan(stalledAt)
    response.destroy()
    expect(await answering).toMatchObject(premature)
    expect(await filling).toMatchObject({ code: 'CANCELLED', cause: premature })
    expect(source.destroyed).toBe(true)
  })

  test.each(['reading', 'writing'])(
    'is none, and yet %s leaves the event loop its turns',
    async direction => {
      const { writer, reader } = channel(100)
      const stop = performance.now() + 3000
      let ticks = 0
      const timer = setInterval(() => ticks++, 10)
      onTestFinished(() => clearInterval(timer))
      const goOn = () => ticks < 3 && performance.now() < stop
      if (direction === 'reading') {
        writer.tryWrite(message(100))
        for await (const chunk of toReadable(reader, { highWaterMark: 10 })) {
          if (!goOn()) break
          writer.tryWrite(chunk) // as a fast thread would
        }
      } else {
        const stream = toWritable(writer, { highWaterMark: 1 })
        while (goOn()) {
          if (!stream.write(message(10))) await once(stream, 'drain')
          reader.tryRead()
        }
        stream.destroy()
      }
      expect(ticks).toBeGreaterThanOrEqual(3)
    },
  )
})

describe('a Readable', () => {
  test("ends with the writer's end, is destroyed then, and has cancelled nothing", async () => {
    const { buffer: memory, writer, reader } = channel(10)
    writer.tryWrite(message(3))
    writer.end()
    const stream = toReadable(reader)
    const events: string[] = []
    for (const name of ['end', 'error', 'close']) stream.on(name, () => events.push(name))
    expect([...(await buffer(stream))]).toEqual([...message(3)])
    await turn()
    expect(events).toEqual(['end', 'close'])
    expect([stream.destroyed, stream.readableEnded, wordsOf(memory)[CANCELLED]]).toEqual([true, true, 0])
  })

  test("fails with the writer's error after the bytes before it", async () => {
    const { buffer: memory, writer, reader } = channel(10)
    writer.tryWrite(message(3))
    writer.fail(error())
    const got: number[] = []
    const reading = (async () => {
      for await (const chunk of toReadable(reader)) got.push(...chunk)
    })()
    await expect(reading).rejects.toMatchObject(boom)
    expect(got).toEqual([...message(3)])
    expect(wordsOf(memory)[CANCELLED]).toBe(0)
  })

  test.each<[string, (reader: RingReader) => unknown, object]>([
    [
      'destroyed with an error',
      reader =>
        toReadable(reader)
          .on('error', () => {})
          .destroy(error()),
      boom,
    ],
    ['destroyed without one', reader => toReadable(reader).destroy(), premature],
    ['left by its loop', reader => leaveLoop(reader), { name: 'AbortError' }],
    [
      'destroyed while it waits for bytes',
      reader =>
        toReadable(reader)
          .on('error', () => {})
          .resume()
          .destroy(error()),
      boom,
    ],
    [
      'whose signal is aborted',
      reader => toReadable(reader, { signal: AbortSignal.abort() }).on('error', () => {}),
      { name: 'AbortError' },
    ],
  ])('%s cancels with the reason', async (_, leave, reason) => {
    const { writer, reader } = channel(10)
    writer.tryWrite(message(3))
    await leave(reader)
    expect(await writer.cancelled).toMatchObject(reason)
    expect(() => writer.tryWrite(message(1))).toThrow(withCode('CANCELLED'))
  })

  test('that failed on the way tells pipeline and its writer', async () => {
    const { writer, reader } = channel(10)
    const target = createGzip()
    const piping = pipeline(toReadable(reader), target)
    target.destroy(error())
    await expect(piping).rejects.toMatchObject(boom)
    expect((await writer.cancelled).message).toBe('boom')
  })

  test('fails when its peer is gone, after the bytes before it', async () => {
    const controller = new AbortController()
    const { writer, reader } = channel(10, { peer: controller.signal })
    writer.tryWrite(message(3))
    const stream = toReadable(reader)
    expect([...(await once(stream, 'data'))[0]]).toEqual([...message(3)])
    controller.abort()
    expect(await once(stream, 'error')).toEqual([withCode('PEER_GONE')])
  })

  test('reads 65536 bytes at a time, or as many as it is told', async () => {
    const { writer, reader } = channel(100_000)
    writer.tryWrite(new Uint8Array(100_000))
    expect(toReadable(reader).readableHighWaterMark).toBe(65536)
    const stream = toReadable(reader, { highWaterMark: 1000 })
    expect((await once(stream, 'data'))[0]).toHaveLength(1000)
    stream.destroy()
    const without = channel(10)
    const eager = toReadable(without.reader, { highWaterMark: 0 })
    without.writer.tryWrite(message(10))
    expect((await once(eager, 'data'))[0]).toHaveLength(10)
    eager.destroy()
  })

  async function leaveLoop(reader: RingReader): Promise<void> {
    for await (const chunk of toReadable(reader)) if (chunk) break
  }
})

describe('a Writable', () => {
  test('ends the channel after its bytes, and is finished when they are in the ring', async () => {
    const { writer, reader } = channel(10)
    const stream = toWritable(writer)
    stream.write(message(3))
    stream.end()
    await finished(stream)
    await turn()
    expect(stream.destroyed).toBe(true)
    expect([reader.tryRead(), reader.tryRead()]).toEqual([message(3), null])
  })

  test.each<[string, (stream: Writable, controller: AbortController) => unknown, object]>([
    ['with an error', stream => stream.destroy(error()), boom],
    ['without one', stream => stream.destroy(), premature],
    ['by its signal', (_, controller) => controller.abort(), { name: 'AbortError' }],
  ])('destroyed %s before its end fails the channel, after its bytes', async (_, leave, reason) => {
    const { writer, reader } = channel(10)
    const controller = new AbortController()
    const stream = toWritable(writer, { signal: controller.signal }).on('error', () => {})
    await new Promise(resolve => stream.write(message(3), resolve))
    leave(stream, controller)
    expect(await reader.readAsync()).toEqual(message(3))
    await expect(reader.readAsync()).rejects.toMatchObject(reason)
  })

  test('destroyed while a write waits for room tells its callback, and those behind it', async () => {
    const { writer, reader } = channel(10)
    const stream = toWritable(writer).on('error', () => {})
    const told: unknown[] = []
    for (let n = 0; n < 3; n++) stream.write(message(20), error => told.push(error))
    await turn()
    stream.destroy(error())
    await finished(stream).catch(() => {})
    await turn()
    expect(told).toEqual([expect.objectContaining(boom), expect.any(Error), expect.any(Error)])
    expect(reader.tryRead()).toEqual(message(20).subarray(0, 10))
    expect(() => reader.tryRead()).toThrow('boom')
  })

  test('fails the channel when what is piped into it fails', async () => {
    const { writer, reader } = channel(10)
    const source = new Readable({ read() {} })
    const piping = pipeline(source, toWritable(writer))
    source.destroy(error())
    await expect(piping).rejects.toMatchObject(boom)
    await expect(reader.readAsync()).rejects.toMatchObject(boom)
  })

  test.each(['idle', 'waiting for room'])('%s is destroyed when the reader cancels', async how => {
    const { writer, reader } = channel(10)
    const stream = toWritable(writer)
    if (how !== 'idle') stream.write(message(20))
    await turn()
    reader.cancel(error())
    const [told] = await once(stream, 'error')
    expect(told).toEqual(withCode('CANCELLED'))
    expect(told.cause).toMatchObject(boom)
    expect(stream.destroyed).toBe(true)
  })

  test('whose reader has had enough before, fails; one that is finished does not', async () => {
    const { writer, reader } = channel(10)
    reader.cancel()
    expect(await once(toWritable(writer), 'error')).toEqual([withCode('CANCELLED')])
    const other = channel(10)
    const stream = toWritable(other.writer)
    await finished(stream.end())
    other.reader.cancel()
    await turn()
    await turn()
    expect(stream.errored).toBe(null)
  })

  test('fails when its peer is gone, waiting or later', async () => {
    const controller = new AbortController()
    const { writer } = channel(10, { peer: controller.signal })
    const stream = toWritable(writer)
    stream.write(message(20))
    await turn()
    controller.abort()
    expect(await once(stream, 'error')).toEqual([withCode('PEER_GONE')])
    const later = toWritable(channel(10, { peer: controller.signal }).writer)
    later.write(message(1))
    expect(await once(later, 'error')).toEqual([withCode('PEER_GONE')])
  })
})

test('mistakes are told: object mode, roles that are none, marks that are none', () => {
  const { writer, reader } = channel(10)
  for (const mode of ['objectMode', 'readableObjectMode', 'writableObjectMode']) {
    expect(() => toReadable(reader, { [mode]: true })).toThrow(TypeError)
    expect(() => toWritable(writer, { [mode]: true })).toThrow(TypeError)
  }
  expect(() => toReadable(writer as never)).toThrow('reader must be a RingReader, got Object')
  expect(() => toWritable(undefined as never)).toThrow('writer must be a RingWriter, got Undefined')
  expect(() => toReadable(reader, { highWaterMark: -1 })).toThrow(TypeError)
  expect(() => toWritable(writer, { highWaterMark: 1.5 })).toThrow(TypeError)
})
