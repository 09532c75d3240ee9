import { expect, test } from 'vitest'
import { RingData } from './ring-data.js'

const CAPACITY = 200
const START = 8

// From the second copy into the same target on, words are copied where positions and targets are aligned.
test.each([
  [16, 0],
  [21, 0],
  [64, 1],
  [128, 2],
])('%i bytes of every position come into one target that begins at %i', (size, offset) => {
  const memory = Uint8Array.from({ length: START + CAPACITY }, (_, i) => i + 1)
  const data = new RingData(new SharedArrayBuffer(memory.length), START, CAPACITY)
  data.copyIn(0, memory.subarray(START))
  const target = new Uint8Array(offset + size + 2).subarray(offset, offset + size)
  for (let position = 0; position <= CAPACITY - size; position++) {
    data.copyOut(position, target, size)
    const from = START + position
    expect(Buffer.compare(target, memory.subarray(from, from + size))).toBe(0)
  }
})
