import { expect, test } from 'vitest'
import { RingData } from './ring-data.js'

const CAPACITY = 200
const START = 8

// Sizes on both sides of the limits between loops and block copies; every position, so every wrap.
test.each([0, 1, 3, 4, 5, 31, 32, 33, 95, 96, 97, 98, 199, 200])(
  '%i bytes come out of every position as they went in, and touch nothing else',
  size => {
    const chunk = Uint8Array.from({ length: size }, (_, i) => i + 1)
    for (let position = 0; position < CAPACITY; position++) {
      const memory = new Uint8Array(new SharedArrayBuffer(START + CAPACITY + 4)).fill(255)
      const data = new RingData(memory.buffer, START, CAPACITY)
      expect(data.copyIn(position, chunk)).toBe((position + size) % CAPACITY)
      expect(memory.filter(byte => byte === 255)).toHaveLength(memory.length - size)

      const target = new Uint8Array(size + 2).fill(254)
      data.copyOut(position, target, size)
      expect(Buffer.compare(target, Uint8Array.of(...chunk, 254, 254))).toBe(0)

      data.copyOut(position, target.fill(254), size) // again, and by other means
      expect(Buffer.compare(target, Uint8Array.of(...chunk, 254, 254))).toBe(0)

      const views = data.spans(position, size)
      expect(Buffer.concat(views).equals(chunk)).toBe(true)
      expect(views.every(view => view.length > 0 && view.buffer === memory.buffer)).toBe(true)
    }
  },
)

test('so do blocks that are aligned differently outside and inside the ring, and longer than what is realigned at once', () => {
  const size = 150_001
  const chunk = Uint8Array.from({ length: size + 3 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24)
  for (const capacity of [size, size + 16]) {
    const data = new RingData(new SharedArrayBuffer(START + capacity), START, capacity)
    for (const position of [0, 1, 7, 1000, capacity - 70_003, capacity - 3]) {
      for (const offset of [0, 1, 3]) {
        const sent = chunk.subarray(offset, offset + size)
        data.copyIn(position, sent)
        const target = new Uint8Array(size + 8).fill(9)
        data.copyOut(position, target.subarray(offset, offset + size), size)
        expect(Buffer.compare(target.subarray(offset, offset + size), sent)).toBe(0)
        expect(target.subarray(offset + size).every(byte => byte === 9)).toBe(true)
      }
    }
  }
})

test('a number of 32 bits comes out as it went in', () => {
  const data = new RingData(new SharedArrayBuffer(12), 4, 8)
  for (const value of [0, 1, 0xfe_dc_ba_98, 2 ** 32 - 1]) {
    data.putUint32(4, value)
    expect(data.uint32At(4)).toBe(value)
    expect(data.uint32At(0)).toBe(0)
  }
})
