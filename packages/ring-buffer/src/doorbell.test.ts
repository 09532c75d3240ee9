import { expect, test } from 'vitest'
import { channel, message, wordsOf } from '../test/padded.js'

const READER_ASLEEP = 33

test.each([2, 7, -1])(
  'I13: a reader that sleeps is woken though its flag was overwritten with %i',
  async value => {
    const { buffer, writer, reader } = channel(8)
    const words = wordsOf(buffer)
    const reading = reader.readAsync()
    words[READER_ASLEEP] = value // 2 would mean that the reader has cancelled, and it has not
    expect(writer.tryWrite(message(3))).toBe(true)
    expect(Atomics.notify(words, READER_ASLEEP)).toBe(0) // nobody is asleep any more
    expect(await reading).toEqual(message(3))
  },
)

test('I14: the writer is told of a cancellation also by a reader that was about to sleep', async () => {
  const { writer, reader } = channel(8)
  const reading = reader.readAsync()
  reader.cancel()
  expect(await reading).toBe(null)
  expect(() => writer.tryWrite(message(3))).toThrow(expect.objectContaining({ code: 'CANCELLED' }))
})
