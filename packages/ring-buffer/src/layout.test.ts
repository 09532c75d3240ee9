import { expect, test } from 'vitest'
import { SharedRingBuffer } from './index.js'

test('the memory is the documented header, then the data', () => {
  const ring = new SharedRingBuffer(5)
  ring.write(Uint8Array.of(1, 2, 3, 4))
  ring.read(3)
  ring.write(Uint8Array.of(5, 6, 7))
  const buffer = ring.getSharedBuffer()
  expect([...new Int32Array(buffer, 0, 2)]).toEqual([7, 3])
  expect([...new Uint8Array(buffer, 8)]).toEqual([6, 7, 3, 4, 5])
  expect([ring.byteLength, buffer.byteLength, ring.capacity]).toEqual([13, 13, 5])
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31 + 1, '10', null, undefined, {}, 10n])(
  'a capacity of %s is a RangeError',
  capacity => {
    expect(() => new SharedRingBuffer(capacity as number)).toThrow(RangeError)
  },
)

test.each([0, 4, 7, 8])('a buffer of %i bytes is too small to attach to', bytes => {
  const attach = () => SharedRingBuffer.fromSharedBuffer(new SharedArrayBuffer(bytes))
  expect(attach).toThrow(RangeError)
  expect(attach).toThrow(`buffer has ${bytes} bytes`)
})

test('nine bytes are the smallest ring', () => {
  expect(SharedRingBuffer.fromSharedBuffer(new SharedArrayBuffer(9)).capacity).toBe(1)
})

test.each([
  ['an ArrayBuffer', new ArrayBuffer(16)],
  ['a view', new Uint8Array(new SharedArrayBuffer(16))],
  ['a Buffer', Buffer.alloc(16)],
  ['a growable buffer', new SharedArrayBuffer(16, { maxByteLength: 32 })],
  ['a ring', new SharedRingBuffer(8)],
  ['a number', 16],
  ['null', null],
  ['undefined', undefined],
])('attaching to %s is a TypeError', (_, buffer) => {
  expect(() => SharedRingBuffer.fromSharedBuffer(buffer as SharedArrayBuffer)).toThrow(TypeError)
})

test('I8: attaching to cursors that cannot be right is an error', () => {
  const buffer = new SharedArrayBuffer(8 + 100)
  new Int32Array(buffer)[0] = 101
  expect(() => SharedRingBuffer.fromSharedBuffer(buffer)).toThrow(
    expect.objectContaining({ name: 'RingBufferError', code: 'CORRUPT_HEADER' }),
  )
})

test('attaching keeps what is in the ring', () => {
  const ring = new SharedRingBuffer(4)
  ring.write(Uint8Array.of(7, 8))
  expect(SharedRingBuffer.fromSharedBuffer(ring.getSharedBuffer()).read(9)).toEqual(Uint8Array.of(7, 8))
})
