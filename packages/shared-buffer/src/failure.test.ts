import { expect, test } from 'vitest'
import type { SharedBufferError } from './errors.js'
import { failBuffer, resetBuffer } from './failure.js'
import { BufferStatus, createSharedBuffer, type SharedBuffer } from './mailbox.js'
import { readFromBuffer, readFromBufferAsync, writeToBuffer } from './message.js'

/** What the reader of a failed mailbox is told. */
function told(shared: SharedBuffer): Error & { code?: unknown } {
  try {
    readFromBuffer(shared, 0)
  } catch (error) {
    expect(error).toMatchObject({ name: 'SharedBufferError', code: 'PEER_FAILED' })
    return (error as SharedBufferError).cause as Error
  }
  throw new Error('the read succeeded')
}

test('the reader is told name, message, code and stack of the error', async () => {
  const shared = createSharedBuffer(4000)
  const error = Object.assign(new TypeError('it broke'), { code: 'E_BROKE' })
  failBuffer(shared, error)
  expect(shared.status[0]).toBe(BufferStatus.ERROR)
  const cause = told(shared)
  expect(cause).toBeInstanceOf(Error)
  expect(cause).toMatchObject({ name: 'TypeError', message: 'it broke', code: 'E_BROKE', stack: error.stack })
  expect(() => readFromBuffer(shared)).toThrow('The other side failed: TypeError: it broke')
  await expect(readFromBufferAsync(shared)).rejects.toThrow('TypeError: it broke')
})

test('I5: nothing but a reset leaves the failed state, and the first error stays', () => {
  const shared = createSharedBuffer(4000)
  failBuffer(shared, new Error('first'))
  failBuffer(shared, new Error('second'))
  expect(() => writeToBuffer(shared, 1)).toThrow('first')
  expect(told(shared).message).toBe('first')
  expect(told(shared).message).toBe('first')
  resetBuffer(shared)
  expect([shared.status[0], shared.dataLength[0]]).toEqual([0, 0])
  writeToBuffer(shared, 'works again')
  expect(readFromBuffer(shared)).toBe('works again')
})

test('a failure withdraws a message that nobody has read', () => {
  const shared = createSharedBuffer(4000)
  writeToBuffer(shared, 'unread')
  failBuffer(shared, new Error('after all not'))
  expect(told(shared).message).toBe('after all not')
})

test.each<[unknown, string]>([
  ['text', 'text'],
  [undefined, 'undefined'],
  [Symbol('s'), 'Symbol(s)'],
  [Object.create(null), '[object Object]'],
  [{ message: 7, code: {} }, '[object Object]'],
])('what was thrown need not be an error: %s', (thrown, message) => {
  const shared = createSharedBuffer(4000)
  failBuffer(shared, thrown)
  expect(told(shared)).toMatchObject({ name: 'Error', message })
  expect(told(shared).code).toBeUndefined()
})

test('what does not fit is shortened, the stack first, and the reader is told as much as there is room for', () => {
  const error = Object.assign(new RangeError('m'.repeat(100)), { code: 'E', stack: 's'.repeat(1000) })
  const tellIn = (bytes: number) => {
    const shared = createSharedBuffer(bytes)
    failBuffer(shared, error)
    return told(shared)
  }
  expect(tellIn(1300)).toMatchObject({ code: 'E', message: error.message, stack: error.stack })
  expect(tellIn(500)).toMatchObject({ code: 'E', message: error.message })
  expect(tellIn(500).stack).not.toBe(error.stack)
  expect(tellIn(140)).toMatchObject({ name: 'RangeError', message: error.message })
  expect(tellIn(100)).toMatchObject({ name: 'RangeError', message: 'm'.repeat(50) })
  expect(tellIn(25)).toMatchObject({ name: 'RangeError', message: '' })
  expect(tellIn(1)).toBeUndefined()
})

test.each(['{"name":', '7', 'null', '"x"'])(
  'a failure that is no failure (%s) is an error without a cause',
  text => {
    const shared = createSharedBuffer(100)
    shared.data.set(Buffer.from(text))
    shared.dataLength[0] = text.length
    shared.status[0] = BufferStatus.ERROR
    expect(told(shared)).toBeUndefined()
  },
)

test('I4: a failure of an impossible length is read within the mailbox', () => {
  for (const length of [-5, 2 ** 31 - 1]) {
    const shared = createSharedBuffer(100)
    failBuffer(shared, 'x')
    shared.dataLength[0] = length
    expect(() => readFromBuffer(shared)).toThrow('The other side failed')
  }
})

test('only a mailbox can fail or be reset', () => {
  expect(() => failBuffer({} as SharedBuffer, new Error('x'))).toThrow(TypeError)
  expect(() => resetBuffer(undefined as unknown as SharedBuffer)).toThrow(TypeError)
})
