import { expect, test } from 'vitest'
import { createSharedBuffer, fromSharedBuffer, type SharedBuffer } from './mailbox.js'
import { readFromBuffer, writeToBuffer } from './message.js'

test('a new mailbox takes 8 bytes more than its messages, and is idle', () => {
  const shared = createSharedBuffer(100)
  expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer)
  expect(shared.buffer.byteLength).toBe(108)
  expect(shared.data.byteLength).toBe(100)
  expect([shared.status[0], shared.dataLength[0]]).toEqual([0, 0])
})

test('status, length and payload lie at bytes 0, 4 and 8', () => {
  const shared = createSharedBuffer(9)
  writeToBuffer(shared, 'abc')
  const view = new DataView(shared.buffer)
  expect([view.getInt32(0, true), view.getInt32(4, true)]).toEqual([1, 5])
  expect(Buffer.from(shared.buffer, 8, 5).toString()).toBe('"abc"')
})

test('views over an existing buffer see the same message, and change nothing', () => {
  const shared = createSharedBuffer(20)
  writeToBuffer(shared, { a: 1 })
  const other = fromSharedBuffer(shared.buffer)
  expect(other.data.byteLength).toBe(20)
  expect(readFromBuffer(other, 0)).toEqual({ a: 1 })
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53, '8', null, undefined, 8n])(
  'a size of %s is refused',
  size => {
    expect(() => createSharedBuffer(size as number)).toThrow(RangeError)
    expect(() => createSharedBuffer(size as number)).toThrow(
      /dataSize must be an integer from 1 to 2147483647/,
    )
  },
)

test('a buffer without room for a payload is refused', () => {
  expect(() => fromSharedBuffer(new SharedArrayBuffer(8))).toThrow(RangeError)
  expect(() => fromSharedBuffer(new SharedArrayBuffer(0))).toThrow(RangeError)
  expect(fromSharedBuffer(new SharedArrayBuffer(9)).data.byteLength).toBe(1)
})

test.each([[new ArrayBuffer(16)], [new Uint8Array(16)], [null], [undefined], [16], [{}], ['x']])(
  'what is no shared memory is refused: %s',
  buffer => {
    expect(() => fromSharedBuffer(buffer as SharedArrayBuffer)).toThrow(TypeError)
  },
)

test('a growable buffer is refused', () => {
  const growable = new SharedArrayBuffer(16, { maxByteLength: 32 })
  expect(() => fromSharedBuffer(growable)).toThrow(/growable/)
})

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['null', null],
  ['a buffer', new SharedArrayBuffer(16)],
  [
    'views that are not shared',
    { status: new Int32Array(1), dataLength: new Int32Array(1), data: new Uint8Array(1) },
  ],
  ['no payload', { ...createSharedBuffer(1), data: undefined }],
  ['words of another type', { ...createSharedBuffer(1), status: new Uint8Array(new SharedArrayBuffer(4)) }],
])('a mailbox that is %s is a TypeError', (_name, shared) => {
  expect(() => writeToBuffer(shared as SharedBuffer, 1)).toThrow(TypeError)
  expect(() => readFromBuffer(shared as SharedBuffer, 0)).toThrow(/shared must be a mailbox/)
})

test('a mailbox that was posted whole, views and all, is one', () => {
  const shared = createSharedBuffer(20)
  const posted = structuredClone(shared)
  writeToBuffer(posted, 'over there')
  expect(readFromBuffer(shared, 0)).toBe('over there')
})
