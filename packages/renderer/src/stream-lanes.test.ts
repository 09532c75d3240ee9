import { type RingReader, RingWriter } from '@scratchyjs/ring-buffer'
import { expect, it } from 'vitest'
import { StreamLanes } from './stream-lanes.js'

it('I3: a ring that serves again is as new, however its last stream ended', () => {
  const lanes = new StreamLanes(32_768, 1)
  const ends: ((writer: RingWriter, reader: RingReader) => void)[] = [
    writer => writer.end(),
    writer => writer.fail(new Error('broken')),
    (_, reader) => reader.cancel('enough'),
    writer => writer.tryWrite(Buffer.from('left behind')),
  ]
  const first = lanes.take()
  let lane = first
  for (const end of ends) {
    const writer = new RingWriter(lane.buffer)
    writer.tryWrite(new Uint8Array(20_000))
    lane.reader.tryRead(5000)
    end(writer, lane.reader)
    lanes.giveBack(lane, true)
    lane = lanes.take()
    expect(lane.buffer).toBe(first.buffer)
    expect(lane.reader.tryRead(9)).toBeUndefined()
    new RingWriter(lane.buffer).tryWrite(Buffer.from('its own'))
    expect(Buffer.from(lane.reader.tryRead(32_768) as Uint8Array).toString()).toBe('its own')
  }
})

it('I2: a ring that a killed thread may write to is not used again', () => {
  const lanes = new StreamLanes(32_768, 2)
  const { buffer, ...lane } = lanes.take()
  lanes.giveBack({ buffer, ...lane }, false)
  expect(lanes.take().buffer).not.toBe(buffer)
})

it('I10: no more rings are kept than asked for', () => {
  const lanes = new StreamLanes(32_768, 1)
  const taken = [lanes.take(), lanes.take()]
  expect(lanes.inUse).toBe(2)
  for (const lane of taken) lanes.giveBack(lane, true)
  expect(lanes.inUse).toBe(0)
  const again = [lanes.take(), lanes.take()].map(({ buffer }) => buffer)
  expect(again.filter(buffer => taken.some(lane => lane.buffer === buffer))).toHaveLength(1)
})
