import { expect, test } from 'vitest'
import { SharedRingBuffer } from './index.js'

/** A ring of four bytes whose words a test may set, as if other objects had been at work on it. */
function ringOfFour(): { ring: SharedRingBuffer; set(write: number, read: number): void } {
  const ring = new SharedRingBuffer(4)
  const words = new Int32Array(ring.getSharedBuffer(), 0, 2)
  return { ring, set: (write, read) => words.set([write | 0, read | 0]) }
}

test('I5: room that appeared since the last look is found before a write is refused', () => {
  const { ring, set } = ringOfFour()
  expect(ring.write(new Uint8Array(4))).toBe(true)
  expect(ring.write(new Uint8Array(1))).toBe(false)
  set(4, 3)
  expect(ring.write(new Uint8Array(3))).toBe(true)
})

test('I5: bytes that came since the last look are found before a read falls short', () => {
  const { ring, set } = ringOfFour()
  ring.write(new Uint8Array(2))
  expect(ring.read(1)).toHaveLength(1)
  set(4, 1)
  expect(ring.read(9)).toHaveLength(3)
})

test('I5: a producer whose cursor others have moved since does not trust what it saw before', () => {
  const { ring, set } = ringOfFour()
  ring.write(new Uint8Array(3)) // saw readPos 0
  set(1, 2 ** 32 - 3) // full again, a lap later: against readPos 0 there would seem to be room for 3
  expect(ring.write(new Uint8Array(1))).toBe(false)
})

test('I5: a consumer whose cursor others have moved since does not trust what it saw before', () => {
  const { ring, set } = ringOfFour()
  ring.write(new Uint8Array(4))
  ring.read(1) // saw writePos 4
  set(2, 2) // empty: against writePos 4 there would seem to be 2 bytes
  expect(ring.read(4)).toBe(null)
})

test('I2: each side stores its own cursor only', () => {
  const { ring } = ringOfFour()
  const words = new Int32Array(ring.getSharedBuffer(), 0, 2)
  ring.write(new Uint8Array(1))
  ring.writev([new Uint8Array(1), new Uint8Array(1)])
  ring.reserve(1)
  ring.commit(1)
  expect([...words]).toEqual([4, 0])
  ring.read(1)
  ring.readInto(new Uint8Array(2))
  ring.peek(1)
  ring.consume(1)
  expect([...words]).toEqual([4, 4])
})
