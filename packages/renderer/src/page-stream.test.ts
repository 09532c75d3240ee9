import { text } from 'node:stream/consumers'
import { RingWriter } from '@scratchyjs/ring-buffer'
import { expect, it, vi } from 'vitest'
import { ControlWords } from './control-words.js'
import { PageStream, type StreamEvents } from './page-stream.js'
import { encodeHead } from './stream-frame.js'
import { StreamHub } from './stream-hub.js'
import { StreamLanes } from './stream-lanes.js'

function open() {
  const lane = new StreamLanes(32_768, 1).take()
  const words = ControlWords.for(1)
  const hub = new StreamHub(words)
  const events = { onHead: vi.fn(), onFailure: vi.fn(), onClose: vi.fn() } satisfies StreamEvents
  const stream = new PageStream(lane, hub, events)
  stream.open()
  return { stream, words, hub, events, writer: new RingWriter(lane.buffer) }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

it('I8: a head that came before its ring is taken, and the bytes behind it', async () => {
  const { stream, events, writer } = open()
  writer.tryWrite(encodeHead({ statusCode: 201 }))
  writer.tryWrite(Buffer.from('the page'))
  writer.end()
  expect(events.onHead).not.toHaveBeenCalled()
  stream.takeHead()
  expect(events.onHead.mock.calls).toEqual([[{ statusCode: 201 }]])
  stream.takeHead() // there is none any more
  expect(await text(stream)).toBe('the page')
  expect(events.onClose.mock.calls).toEqual([[true]])
})

it('I8: a head that has not come by then is waited for', async () => {
  const { stream, words, events, writer } = open()
  stream.takeHead()
  writer.tryWrite(encodeHead({}).subarray(0, 3))
  words.ring()
  await turn()
  expect(events.onHead).not.toHaveBeenCalled()
  writer.tryWrite(encodeHead({}).subarray(3))
  words.ring()
  await vi.waitFor(() => expect(events.onHead).toHaveBeenCalledOnce())
  stream.destroy()
  expect(events.onClose.mock.calls).toEqual([[false]])
})

it('I10: no more is read than its consumer asks for, however long the page is', async () => {
  const { stream, words, writer } = open()
  writer.tryWrite(encodeHead({}))
  stream.takeHead()
  stream.read(0) // wants to know of the first bytes, and takes none
  let written = 0
  for (let round = 0; round < 50; round++) {
    while (writer.tryWrite(new Uint8Array(8000))) written += 8000
    words.ring()
    await turn()
  }
  expect(written).toBeGreaterThan(65_536)
  expect(written).toBeLessThan(65_536 + 2 * 32_768)
  stream.destroy()
})

it('I3: a stream that is destroyed looks at its ring no more, and tells its writer', async () => {
  const { stream, words, hub, events, writer } = open()
  const other = vi.fn(() => false)
  hub.add({ poll: other })
  stream.destroy()
  await expect(writer.writeAsync(encodeHead({}))).rejects.toMatchObject({ code: 'CANCELLED' })
  words.ring()
  await vi.waitFor(() => expect(other.mock.calls.length).toBeGreaterThan(1))
  stream.takeHead()
  expect([events.onHead, events.onFailure].map(({ mock }) => mock.calls)).toEqual([[], []])
})
