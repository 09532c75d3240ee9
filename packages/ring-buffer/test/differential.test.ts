import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SharedRingBuffer } from '../src/index.js'

const WORD_VALUES = 2 ** 32

/** One operation; sizes are fractions of the capacity, `on` picks one of two objects over the same ring. */
interface Step {
  does: 'write' | 'writev' | 'reserve' | 'read' | 'readInto' | 'peek'
  on: 0 | 1
  sizes: [number, number, number]
}

const size = fc.oneof(
  fc.double({ min: 0, max: 0.2, noNaN: true }),
  fc.double({ min: 0, max: 1.2, noNaN: true }),
)
const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom('write', 'writev', 'reserve', 'read', 'readInto', 'peek'),
  on: fc.constantFrom(0, 1),
  sizes: fc.tuple(size, size, size),
})

/** A stretch of the byte sequence that all rings here carry: any byte lost, doubled or moved shows. */
function stretch(from: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(from + i, 0x9e3779b1) >>> 24
  return bytes
}

/** The ring under test and the model: an array would hold the bytes `read` to `written` of the sequence. */
class Subject {
  readonly capacity: number
  readonly words: Int32Array
  readonly data: Uint8Array
  readonly objects: [SharedRingBuffer, SharedRingBuffer]
  written = 0
  read = 0

  constructor(capacity: number, start: number) {
    this.capacity = capacity
    const ring = new SharedRingBuffer(capacity)
    this.words = new Int32Array(ring.getSharedBuffer(), 0, 2).fill(start | 0)
    this.data = new Uint8Array(ring.getSharedBuffer(), 8)
    this.objects = [ring, SharedRingBuffer.fromSharedBuffer(ring.getSharedBuffer())]
  }

  run({ does, on, sizes }: Step): void {
    const ring = this.objects[on]
    const [first, second, third] = sizes.map(size => Math.round(size * this.capacity)) as Step['sizes']
    const meanwhile: Step['sizes'] = [sizes[2], 0, 0]
    const other = on === 0 ? 1 : 0
    switch (does) {
      case 'write':
        this.sent(ring.write(stretch(this.written, first)), first)
        break
      case 'writev': {
        const whole = stretch(this.written, first + second + third)
        const ends = [first, first + second, whole.length]
        const chunks = ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end))
        this.sent(ring.writev(chunks), whole.length)
        break
      }
      case 'reserve': {
        const n = Math.min(first + 1, this.capacity)
        const spans = ring.reserve(n)
        const total = this.fillSpans(spans)
        expect(total).toBe(n <= this.room ? n : 0)
        this.run({ does: 'read', on: other, sizes: meanwhile })
        const k = Math.min(second, total)
        ring.commit(k)
        this.written += k
        break
      }
      case 'read':
        this.received(ring.read(first + 1), first + 1)
        break
      case 'readInto': {
        const target = new Uint8Array(first)
        this.received(target.subarray(0, ring.readInto(target)), first)
        break
      }
      case 'peek': {
        const spans = ring.peek(first + 1)
        const bytes = Buffer.concat(spans)
        const due = Math.min(first + 1, this.stored)
        this.run({ does: 'write', on: other, sizes: meanwhile })
        expect(bytes.equals(stretch(this.read, due))).toBe(true)
        expect(Buffer.concat(spans).equals(bytes)).toBe(true)
        const k = Math.min(second, due)
        ring.consume(k)
        this.read += k
      }
    }
  }

  /** What anyone can see: the snapshots, and the ring as a stranger reads it who knows the header only. */
  expectAgreement(): void {
    const { stored, capacity, words, data } = this
    for (const ring of this.objects) {
      expect(ring.availableToRead).toBe(stored)
      expect(ring.availableToWrite).toBe(capacity - stored)
      expect(ring.isEmpty).toBe(stored === 0)
      expect(ring.isFull).toBe(stored === capacity)
    }
    const [writePos, readPos] = Array.from(words, word => (word >>> 0) % capacity) as [number, number]
    expect((readPos + stored) % capacity).toBe(writePos)
    const content = stretch(this.read, stored)
    const beforeEnd = Math.min(stored, capacity - readPos)
    expect(Buffer.compare(data.subarray(readPos, readPos + beforeEnd), content.subarray(0, beforeEnd))).toBe(
      0,
    )
    expect(Buffer.compare(data.subarray(0, stored - beforeEnd), content.subarray(beforeEnd))).toBe(0)
  }

  get stored(): number {
    return this.written - this.read
  }

  get room(): number {
    return this.capacity - this.stored
  }

  private sent(accepted: boolean, bytes: number): void {
    expect(accepted).toBe(bytes <= this.room)
    if (accepted) this.written += bytes
  }

  private received(bytes: Uint8Array | null, most: number): void {
    const due = stretch(this.read, Math.min(most, this.stored))
    expect(Buffer.compare(bytes ?? new Uint8Array(), due)).toBe(0)
    this.read += due.length
  }

  private fillSpans(spans: Uint8Array[]): number {
    let total = 0
    for (const span of spans) {
      span.set(stretch(this.written + total, span.length))
      total += span.length
    }
    return total
  }
}

describe.each([1, 3, 7, 100, 1000, 65536])('I1: a ring of %i bytes behaves like a queue', capacity => {
  test.each([
    ['0', 0],
    ['2^31', 2 ** 31],
    ['2^32', WORD_VALUES],
  ])('with cursors that begin near %s', (_, around) => {
    fc.assert(
      fc.property(fc.nat(2 * capacity), fc.array(step, { minLength: 5, maxLength: 40 }), (before, steps) => {
        const subject = new Subject(capacity, around === 0 ? before : around - 1 - before)
        for (const one of steps) {
          subject.run(one)
          subject.expectAgreement()
        }
      }),
      { numRuns: capacity > 1000 ? 30 : 200, interruptAfterTimeLimit: 5000, markInterruptAsFailure: true },
    )
  })
})

test('I8: any two cursors are either those of a ring, or an error', () => {
  // What a ring can be in, counted out step by step: 2^32-1 is followed by the count with the next position.
  const follow = (count: number, capacity: number) =>
    count + 1 < WORD_VALUES ? count + 1 : WORD_VALUES - Math.floor(WORD_VALUES / capacity) * capacity
  const near = fc.oneof(
    fc.nat(40),
    fc.nat(40).map(n => WORD_VALUES - 1 - n),
    fc.nat(40).map(n => 2 ** 31 - 20 + n),
    fc.nat(WORD_VALUES - 1),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), near, near, (capacity, write, read) => {
      let expected: number | undefined
      for (let bytes = 0, count = read; bytes <= capacity; bytes++, count = follow(count, capacity)) {
        if (count === write) expected = bytes
      }
      const buffer = new SharedArrayBuffer(8 + capacity)
      new Int32Array(buffer, 0, 2).set([write | 0, read | 0])
      const attach = () => SharedRingBuffer.fromSharedBuffer(buffer).availableToRead
      if (expected === undefined) expect(attach).toThrow(expect.objectContaining({ code: 'CORRUPT_HEADER' }))
      else expect(attach()).toBe(expected)
    }),
    { numRuns: 3000 },
  )
})
