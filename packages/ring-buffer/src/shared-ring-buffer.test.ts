import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { SharedRingBuffer } from './index.js'

const bytes = (...values: number[]) => Uint8Array.from(values)
const fill = (ring: SharedRingBuffer, size: number) => ring.write(new Uint8Array(size))
const contents = (spans: Uint8Array[]) => spans.map(span => [...span])

/** A ring of ten bytes, empty, whose next byte goes to position 8. */
function ringAtEight(): SharedRingBuffer {
  const ring = new SharedRingBuffer(10)
  fill(ring, 8)
  ring.read(8)
  return ring
}

const notBytes: [string, unknown][] = [
  ['a string', 'abc'],
  ['an array', [1, 2]],
  ['a number', 5],
  ['null', null],
  ['undefined', undefined],
  ['an ArrayBuffer', new ArrayBuffer(2)],
  ['a SharedArrayBuffer', new SharedArrayBuffer(2)],
  ['a DataView', new DataView(new ArrayBuffer(2))],
  ['a Uint16Array', new Uint16Array(2)],
  ['an Int8Array', new Int8Array(2)],
  ['a Uint8ClampedArray', new Uint8ClampedArray(2)],
]
const notCounts = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, 1n] as number[]

describe('write', () => {
  test('I12: takes a chunk whole or refuses it whole', () => {
    const ring = new SharedRingBuffer(4)
    expect(ring.write(bytes(1, 2, 3))).toBe(true)
    expect(ring.write(bytes(4, 5))).toBe(false)
    expect(ring.write(bytes(4))).toBe(true)
    expect(ring.write(bytes(5))).toBe(false)
    expect(ring.read(9)).toEqual(bytes(1, 2, 3, 4))
  })

  test('I12: refuses a chunk longer than the capacity, even when empty', () => {
    const ring = new SharedRingBuffer(4)
    expect(fill(ring, 5)).toBe(false)
    expect(ring.isEmpty).toBe(true)
  })

  test('an empty chunk is true, in a full ring too', () => {
    const ring = new SharedRingBuffer(1)
    expect(fill(ring, 0)).toBe(true)
    fill(ring, 1)
    expect(fill(ring, 0)).toBe(true)
  })

  test('takes a Buffer, a view into the middle of memory, shared memory and a Uint8Array of another realm', () => {
    const ring = new SharedRingBuffer(20)
    expect(ring.write(Buffer.from('ab'))).toBe(true)
    expect(ring.write(bytes(0, 1, 2, 0).subarray(1, 3))).toBe(true)
    expect(ring.write(new Uint8Array(new SharedArrayBuffer(1)))).toBe(true)
    expect(ring.write(runInNewContext('new Uint8Array([9])'))).toBe(true)
    expect(ring.read(20)).toEqual(bytes(97, 98, 1, 2, 0, 9))
  })

  test.each(notBytes)('%s is a TypeError, and nothing is written', (_, chunk) => {
    const ring = new SharedRingBuffer(10)
    expect(() => ring.write(chunk as Uint8Array)).toThrow(TypeError)
    expect(() => ring.writev([bytes(1), chunk as Uint8Array])).toThrow(/^chunks\[1\] must be a Uint8Array/)
    expect(ring.isEmpty).toBe(true)
  })
})

describe('writev', () => {
  test('I12: takes all the chunks or none', () => {
    const ring = ringAtEight()
    expect(ring.writev([bytes(1), bytes(), bytes(2, 3, 4), bytes(5)])).toBe(true)
    expect(ring.writev([bytes(6, 7, 8), bytes(9, 10, 11)])).toBe(false)
    expect(ring.read(99)).toEqual(bytes(1, 2, 3, 4, 5))
  })

  test('no chunks, or empty ones, are true and nothing', () => {
    const ring = new SharedRingBuffer(1)
    expect(ring.writev([])).toBe(true)
    expect(ring.writev([bytes(), bytes()])).toBe(true)
    expect(ring.isEmpty).toBe(true)
  })

  test('a single chunk that is in no array is a TypeError', () => {
    expect(() => new SharedRingBuffer(9).writev(bytes() as unknown as Uint8Array[])).toThrow(TypeError)
  })
})

describe('read', () => {
  test('answers null when there is nothing, and what there is when that is less', () => {
    const ring = new SharedRingBuffer(4)
    expect(ring.read(1)).toBe(null)
    ring.write(bytes(1, 2, 3))
    expect(ring.read(2)).toEqual(bytes(1, 2))
    expect(ring.read(1000)).toEqual(bytes(3))
    expect(ring.read(1)).toBe(null)
  })

  test('gives a copy in unshared memory, which later writes leave alone', () => {
    const ring = new SharedRingBuffer(2)
    ring.write(bytes(1, 2))
    const copy = ring.read(2)
    ring.write(bytes(3, 4))
    expect(copy).toEqual(bytes(1, 2))
    expect(copy?.buffer).toBeInstanceOf(ArrayBuffer)
    expect(copy?.buffer.byteLength).toBe(2)
  })

  test.each(notCounts)('%s bytes are a RangeError', count => {
    const ring = new SharedRingBuffer(4)
    expect(() => ring.read(count)).toThrow(RangeError)
    expect(() => ring.read(count)).toThrow('maxBytes')
    expect(() => ring.peek(count)).toThrow(RangeError)
  })
})

describe('readInto', () => {
  test('fills the beginning of the target and tells how much', () => {
    const ring = ringAtEight()
    ring.write(bytes(1, 2, 3, 4, 5))
    const target = new Uint8Array(3)
    expect([ring.readInto(target), [...target]]).toEqual([3, [1, 2, 3]])
    expect([ring.readInto(target), [...target]]).toEqual([2, [4, 5, 3]])
    expect(ring.readInto(target)).toBe(0)
  })

  test('an empty target takes nothing', () => {
    const ring = new SharedRingBuffer(4)
    fill(ring, 1)
    expect(ring.readInto(bytes())).toBe(0)
    expect(ring.availableToRead).toBe(1)
  })

  test.each(notBytes)('%s as target is a TypeError, and nothing is lost', (_, target) => {
    const ring = new SharedRingBuffer(10)
    fill(ring, 1)
    expect(() => ring.readInto(target as Uint8Array)).toThrow(TypeError)
    expect(ring.availableToRead).toBe(1)
  })
})

describe('reserve and commit', () => {
  test('I12: what is committed is readable, and not a byte more', () => {
    const ring = ringAtEight()
    const spans = ring.reserve(5)
    expect(spans.map(span => span.length)).toEqual([2, 3])
    spans[0]?.set([1, 2])
    spans[1]?.set([3, 4, 5])
    expect(ring.read(10)).toBe(null)
    ring.commit(4)
    expect(ring.read(10)).toEqual(bytes(1, 2, 3, 4))
  })

  test('one span when the room does not go round the end', () => {
    expect(new SharedRingBuffer(10).reserve(10).map(span => span.length)).toEqual([10])
  })

  test('an empty ring takes its whole capacity, wherever its cursors are', () => {
    expect(ringAtEight().reserve(10)).toHaveLength(2)
  })

  test('no spans when there is less room, and then only 0 can be committed', () => {
    const ring = new SharedRingBuffer(4)
    fill(ring, 2)
    expect(ring.reserve(3)).toEqual([])
    expect(() => ring.commit(1)).toThrow('from 0 to the 0 reserved')
    ring.commit(0)
    expect(fill(ring, 2)).toBe(true)
  })

  test('I12: committing 0 publishes nothing and gives the room back', () => {
    const ring = new SharedRingBuffer(10)
    ring.reserve(10)
    ring.commit(0)
    expect(ring.isEmpty).toBe(true)
    expect(ring.availableToWrite).toBe(10)
    expect(fill(ring, 10)).toBe(true)
  })

  test.each([11, 999, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '5', undefined] as number[])(
    'I12: committing %s of 10 is a RangeError, and the reservation stays',
    count => {
      const ring = new SharedRingBuffer(100)
      ring.reserve(10)
      expect(() => ring.commit(count)).toThrow(RangeError)
      expect(ring.isEmpty).toBe(true)
      ring.commit(10)
      expect(ring.availableToRead).toBe(10)
    },
  )

  test.each([0, 1])('committing %i without a reservation is a RangeError, so is a second commit', count => {
    const ring = new SharedRingBuffer(10)
    expect(() => ring.commit(count)).toThrow('nothing is reserved')
    ring.reserve(5)
    ring.commit(2)
    expect(() => ring.commit(count)).toThrow(RangeError)
    expect(ring.availableToRead).toBe(2)
  })

  test('I12: a write into a reservation is a TypeError, and the reserved bytes stay as they are', () => {
    const ring = new SharedRingBuffer(10)
    ring.reserve(2)[0]?.set([1, 2])
    expect(() => ring.write(bytes(9))).toThrow('Cannot write 1 bytes: 2 are reserved')
    expect(() => ring.writev([bytes(9)])).toThrow(TypeError)
    ring.commit(2)
    ring.write(bytes(3))
    expect(ring.read(10)).toEqual(bytes(1, 2, 3))
  })

  test('reserving again replaces the reservation', () => {
    const ring = new SharedRingBuffer(10)
    ring.reserve(8)
    ring.reserve(3)
    expect(() => ring.commit(8)).toThrow(RangeError)
    ring.commit(3)
    expect(ring.availableToRead).toBe(3)
  })

  test.each(notCounts)('reserving %s is a RangeError', count => {
    expect(() => new SharedRingBuffer(4).reserve(count)).toThrow(RangeError)
  })

  test('reserving more than the capacity throws at once', () => {
    expect(() => new SharedRingBuffer(256).reserve(300)).toThrow(
      new RangeError('Cannot reserve 300 bytes: the ring holds 256'),
    )
  })
})

describe('peek and consume', () => {
  test('shows the next bytes in place and leaves them there', () => {
    const ring = ringAtEight()
    ring.write(bytes(1, 2, 3, 4, 5))
    expect(contents(ring.peek(4))).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(contents(ring.peek(99))).toEqual([
      [1, 2],
      [3, 4, 5],
    ])
    expect(ring.peek(1)[0]?.buffer).toBe(ring.getSharedBuffer())
    expect(ring.availableToRead).toBe(5)
  })

  test('an empty ring shows no span', () => {
    const ring = new SharedRingBuffer(4)
    expect(ring.peek(4)).toEqual([])
    ring.consume(0)
    expect(() => ring.consume(0)).toThrow('nothing is peeked')
  })

  test('I12: consumes as much as is asked, and no more than was peeked', () => {
    const ring = new SharedRingBuffer(10)
    ring.write(bytes(1, 2, 3, 4, 5, 6))
    ring.peek(4)
    for (const count of [5, -1, 1.5, Number.NaN, undefined as unknown as number]) {
      expect(() => ring.consume(count)).toThrow(RangeError)
    }
    ring.consume(3)
    expect(() => ring.consume(1)).toThrow(RangeError)
    expect(ring.read(10)).toEqual(bytes(4, 5, 6))
  })

  test('a read takes the peeked bytes along, so that they cannot be consumed twice', () => {
    const ring = new SharedRingBuffer(10)
    ring.write(bytes(1, 2, 3, 4))
    ring.peek(2)
    expect(ring.read(1)).toEqual(bytes(1))
    expect(() => ring.consume(2)).toThrow(RangeError)
    expect(ring.availableToRead).toBe(3)
  })
})

test('the snapshots tell the same story on every object over the same memory', () => {
  const ring = new SharedRingBuffer(3)
  const other = SharedRingBuffer.fromSharedBuffer(ring.getSharedBuffer())
  const story = (one: SharedRingBuffer) => [
    one.availableToRead,
    one.availableToWrite,
    one.isEmpty,
    one.isFull,
  ]
  const expectBoth = (expected: unknown[]) => {
    expect(story(ring)).toEqual(expected)
    expect(story(other)).toEqual(expected)
  }
  expectBoth([0, 3, true, false])
  ring.write(bytes(1))
  expectBoth([1, 2, false, false])
  other.write(bytes(2, 3))
  expectBoth([3, 0, false, true])
  ring.read(3)
  expectBoth([0, 3, true, false])
})

test.each<[string, (ring: SharedRingBuffer) => unknown]>([
  ['availableToRead', ring => ring.availableToRead],
  ['isFull', ring => ring.isFull],
  ['write', ring => ring.write(bytes(1))],
  ['writev', ring => ring.writev([bytes(1)])],
  ['reserve', ring => ring.reserve(1)],
  ['read', ring => ring.read(1)],
  ['readInto', ring => ring.readInto(new Uint8Array(1))],
  ['peek', ring => ring.peek(1)],
  ['waitReadable', ring => ring.waitReadable(1, { timeoutMs: 0 })],
  ['waitWritable', ring => ring.waitWritable(1, { timeoutMs: 0 })],
])('I8: %s throws when the header becomes impossible, instead of handing out other bytes', (_, use) => {
  for (const header of [
    [200, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ]) {
    const ring = new SharedRingBuffer(100)
    new Int32Array(ring.getSharedBuffer(), 0, 2).set(header)
    expect(() => use(ring)).toThrow(expect.objectContaining({ code: 'CORRUPT_HEADER' }))
  }
})
