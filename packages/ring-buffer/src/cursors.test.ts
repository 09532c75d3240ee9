import { describe, expect, test } from 'vitest'
import { Cursors } from './cursors.js'

const WORD_VALUES = 2 ** 32
const capacities = [1, 3, 7, 10, 100, 1000, 65536, 2 ** 31 - 1, 2 ** 31]

function cursorsOf(capacity: number): { cursors: Cursors; words: Int32Array<SharedArrayBuffer> } {
  const words = new Int32Array(new SharedArrayBuffer(8))
  return { cursors: new Cursors(words, 0, 1, capacity), words }
}

describe.each(capacities)('I1: with a capacity of %i', capacity => {
  test.each([0, 2 ** 31, WORD_VALUES])('the position never jumps around %i', around => {
    const { cursors, words } = cursorsOf(capacity)
    const step = Math.max(1, Math.floor(capacity / 3))
    let write = Math.max(0, around - 4 * step - 1)
    words[0] = write | 0
    for (let moved = 0; moved < 8; moved++) {
      const expected = ((write >>> 0) + step) % capacity
      write = cursors.publishWrite(write, step)
      expect(cursors.loadWrite()).toBe(write)
      expect(cursors.positionOf(write)).toBe(expected)
    }
  })

  test('a cursor near 2^32 is told from one that has passed it', () => {
    const { cursors } = cursorsOf(capacity)
    for (const bytes of new Set([0, 1, capacity - 1, capacity])) {
      for (const read of [WORD_VALUES - 1, WORD_VALUES - capacity, WORD_VALUES - bytes]) {
        if (read === WORD_VALUES) continue
        expect(cursors.between(cursors.publishWrite(read, bytes), read)).toBe(bytes)
      }
    }
  })
})

test.each([
  ['more than the capacity in the ring', 1001, 0],
  ['the reader ahead of the writer', 0, 1],
  ['the reader ahead of the writer, both high', 3_000_000_000, 3_000_000_001],
  ['a write cursor of -1', WORD_VALUES - 1, 0],
  ['a read cursor of -1', 0, WORD_VALUES - 1],
  ['a writer that jumped from 2^32 to 0, as no cursor of this capacity does', 100, WORD_VALUES - 500],
])('I8: %s is an error that says which cursors', (_, write, read) => {
  const { cursors, words } = cursorsOf(1000)
  words.set([write | 0, read | 0])
  expect(() => cursors.used()).toThrow(
    expect.objectContaining({ code: 'CORRUPT_HEADER', message: expect.stringContaining(`${write}`) }),
  )
})
