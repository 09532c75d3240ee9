import { expect, test } from 'vitest'
import { createSharedBuffer } from './mailbox.js'
import { readFromBuffer, writeToBuffer } from './message.js'
import { structuredCodec as codec } from './node.js'

test('Map, Set, Date, BigInt, typed arrays and cycles come back equal', () => {
  const shared = createSharedBuffer(1000)
  const payload: Record<string, unknown> = {
    map: new Map([['a', { n: 1n }]]),
    set: new Set([1, 2]),
    date: new Date(5),
    numbers: Float64Array.of(0.5, Number.NaN),
    nothing: undefined,
  }
  payload.self = payload
  writeToBuffer(shared, payload, { codec })
  expect(readFromBuffer(shared, 0, { codec })).toEqual(payload)
})

test('I3: a typed array that was read stays as it is when the writer goes on', () => {
  const shared = createSharedBuffer(100)
  writeToBuffer(shared, Uint8Array.of(1, 2, 3), { codec })
  const read = readFromBuffer<Uint8Array>(shared, 0, { codec })
  shared.data.fill(0xff)
  expect(read).toEqual(Uint8Array.of(1, 2, 3))
})

test.each<[string, unknown]>([
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a function within', { f() {} }],
])('%s is a TypeError, and nothing is written', (_name, payload) => {
  const shared = createSharedBuffer(100)
  expect(() => writeToBuffer(shared, payload, { codec })).toThrow(TypeError)
  expect(shared.status[0]).toBe(0)
})

test('bytes that are no clone are an error', () => {
  const shared = createSharedBuffer(100)
  writeToBuffer(shared, 'JSON')
  expect(() => readFromBuffer(shared, 0, { codec })).toThrow(expect.objectContaining({ code: 'BAD_PAYLOAD' }))
})
