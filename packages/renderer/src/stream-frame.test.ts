import { expect, it } from 'vitest'
import { encodeHead, HeadReader, LENGTH_BYTES } from './stream-frame.js'

it('I11: a head is found however its bytes come, and no byte behind it is taken', () => {
  const head = { statusCode: 201, headers: { 'x-name': 'Zoë', 'set-cookie': ['a=1', 'b=2'] } }
  const bytes = encodeHead(head)
  for (const step of [1, 3, LENGTH_BYTES, 7, bytes.length]) {
    const reader = new HeadReader()
    let at = 0
    let found: unknown
    while (!found) {
      const taken = Math.min(step, reader.missing)
      found = reader.take(bytes.subarray(at, at + taken))
      at += taken
    }
    expect(found).toEqual(head)
    expect(at).toBe(bytes.length)
  }
})

it('I11: a length that no head has is refused', () => {
  const reader = new HeadReader()
  expect(() => reader.take(Uint8Array.of(0, 0, 0, 127))).toThrow(/something else wrote to its memory/)
})
