import { createRingChannel, RingReader, RingWriter } from '@scratchyjs/ring-buffer'
import { afterEach, expect, it, vi } from 'vitest'
import { ControlWords } from './control-words.js'
import { StreamSink } from './stream-sink.js'

afterEach(() => vi.restoreAllMocks())

function open(capacity = 65_536) {
  const { buffer } = createRingChannel({ capacity })
  const words = ControlWords.for(1)
  const rings = () => new Int32Array(words.buffer)[0] as number
  const sink = new StreamSink(new RingWriter(buffer), words, () => ({ statusCode: 200 }))
  return { reader: new RingReader(buffer), words, rings, sink }
}

/** As many as make a streak, all at the same time by the clock. */
async function streak({ sink }: ReturnType<typeof open>): Promise<void> {
  vi.spyOn(performance, 'now').mockReturnValue(1000)
  for (let part = 0; part < 12; part++) await sink.write('part')
}

it('I8: rings for a part that comes after a pause, at once', async () => {
  const opened = open()
  await opened.sink.write('first')
  for (let part = 1; part < 20; part++) {
    opened.words.listen()
    const before = opened.rings()
    vi.spyOn(performance, 'now').mockReturnValue(1000 + part)
    expect(opened.sink.write('part')).toBeUndefined()
    expect(opened.rings()).toBe(before + 1)
  }
})

it('I8: within a streak rings when the render waits, and for 16 KiB', async () => {
  const opened = open()
  await streak(opened)
  opened.words.listen()
  const before = opened.rings()
  expect(opened.sink.write('last')).toBeUndefined()
  expect(opened.rings()).toBe(before)
  await new Promise(resolve => setImmediate(resolve))
  expect(opened.rings()).toBe(before + 1)

  opened.words.listen()
  for (let kib = 0; kib < 16; kib++) opened.sink.write('x'.repeat(1024))
  expect(opened.rings()).toBe(before + 2)
})

it('I8: within a streak rings before it waits for room, and at the end', async () => {
  const opened = open(128)
  await streak(opened)
  opened.words.listen()
  const before = opened.rings()
  const waiting = opened.sink.write('y'.repeat(128))
  await Promise.resolve()
  expect(opened.rings()).toBe(before + 1)
  while (opened.reader.tryRead(1024));
  await waiting
  while (opened.reader.tryRead(1024));
  opened.words.listen()
  const last = opened.rings()
  opened.sink.write('z')
  await opened.sink.end()
  expect(opened.rings()).toBe(last + 1)
  expect(Buffer.from(opened.reader.tryRead(1024) as Uint8Array).toString()).toBe('z')
  expect(opened.reader.tryRead(1024)).toBeNull()
})
