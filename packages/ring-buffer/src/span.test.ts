import { expect, test } from 'vitest'
import { copyIn, copyOut, spans } from './span.js'

const CAPACITY = 40

// Sizes on both sides of the limit between the loop and the block copy; every position, so every wrap.
test.each([0, 1, 2, 15, 16, 17, 39, 40])(
  '%i bytes come out of every position as they went in, and touch nothing else',
  size => {
    const chunk = Uint8Array.from({ length: size }, (_, i) => i + 1)
    for (let position = 0; position < CAPACITY; position++) {
      const data = new Uint8Array(new SharedArrayBuffer(CAPACITY)).fill(255)
      expect(copyIn(data, position, chunk)).toBe((position + size) % CAPACITY)
      expect(data.filter(byte => byte === 255)).toHaveLength(CAPACITY - size)

      const target = new Uint8Array(size + 2).fill(254)
      copyOut(data, position, target, size)
      expect([...target]).toEqual([...chunk, 254, 254])

      const views = spans(data, position, size)
      expect(views.flatMap(view => [...view])).toEqual([...chunk])
      expect(views.every(view => view.length > 0 && view.buffer === data.buffer)).toBe(true)
    }
  },
)
