import { describe, expect, test } from 'vitest'
import {
  attachSharedBufferPool,
  BufferStatus,
  bytesCodec,
  createSharedBuffer,
  createSharedBufferPool,
  readFromBuffer,
  readFromBufferAsync,
  SharedMutex,
  writeToBuffer,
  writeToBufferAsync,
} from './index.js'

function detached(): Uint8Array {
  const view = new Uint8Array(8)
  structuredClone(view, { transfer: [view.buffer] })
  return view
}

test('a payload whose memory was transferred away is a TypeError, and nothing is written', () => {
  const shared = createSharedBuffer(8)
  expect(() => writeToBuffer(shared, detached(), { codec: bytesCodec })).toThrow(TypeError)
  expect(shared.status[0]).toBe(BufferStatus.IDLE)
})

test('nothing is attached to memory that was transferred away, or to a copy of shared memory that is not shared', () => {
  const gone = detached().buffer as never
  const copy = new Uint8Array(createSharedBufferPool({ slots: 1, slotSize: 8 }).buffer).slice()
    .buffer as never
  for (const memory of [gone, copy]) {
    expect(() => attachSharedBufferPool(memory)).toThrow(TypeError)
    expect(() => new SharedMutex(memory)).toThrow(TypeError)
  }
})

describe('options that are none are a mistake, and nobody waits:', () => {
  test.each<[string, object, typeof Error]>([
    ['a timeout below 0', { timeoutMs: -1 }, RangeError],
    ['a timeout of NaN', { timeoutMs: Number.NaN }, RangeError],
    ['a timeout that is a string', { timeoutMs: '5' }, TypeError],
    ['a timeout of null', { timeoutMs: null }, TypeError],
    ['a signal of null', { signal: null }, TypeError],
    ['a signal that is none', { signal: { aborted: true } }, TypeError],
  ])('%s', async (_, options, kind) => {
    const [empty, unread] = [createSharedBuffer(8), createSharedBuffer(8)]
    writeToBuffer(unread, 1)
    const mutex = new SharedMutex()
    mutex.lock()
    const pool = createSharedBufferPool({ slots: 1, slotSize: 8 })
    const lease = pool.acquire()
    for (const wait of [
      () => readFromBufferAsync(empty, options),
      () => writeToBufferAsync(unread, 2, options),
      () => new SharedMutex(mutex.buffer).lockAsync(options),
      () => pool.acquireAsync(options),
    ])
      await expect(wait()).rejects.toThrow(kind)
    mutex.unlock()
    lease?.release()
    expect(mutex.tryLock()).toBe(true)
    expect(pool.acquire()?.index).toBe(0)
    expect(readFromBuffer(unread, 0)).toBe(1)
    expect(pool.stats()).toMatchObject({ inUse: 1 })
  })
})

test.each([3, -1, 2 ** 31 - 1])(
  'a lock whose word was overwritten with %i is an error to wait for',
  async word => {
    const corrupt = expect.objectContaining({ name: 'SharedBufferError', code: 'CORRUPT_STATUS' })
    const mutex = new SharedMutex()
    const held = new SharedMutex(mutex.buffer)
    held.lock()
    const waiting = expect(mutex.lockAsync()).rejects.toEqual(corrupt)
    new Int32Array(mutex.buffer)[0] = word
    expect(mutex.tryLock()).toBe(false)
    expect(() => new SharedMutex(mutex.buffer)).toThrow(RangeError)
    // Blocking first: without the check it would only time out, but the other one would spin for ever.
    expect(() => mutex.lock(5)).toThrow(corrupt)
    Atomics.notify(new Int32Array(mutex.buffer), 0)
    await waiting
    await expect(mutex.lockAsync()).rejects.toEqual(corrupt)
  },
)

test('what bytes are read can be hashed, be a response, and be transferred', async () => {
  const shared = createSharedBuffer(8)
  writeToBuffer(shared, Uint8Array.of(1, 2, 3), { codec: bytesCodec })
  const bytes = readFromBuffer<Uint8Array<ArrayBuffer>>(shared, 0, { codec: bytesCodec })
  expect(new Uint8Array(await new Response(bytes).arrayBuffer())).toEqual(Uint8Array.of(1, 2, 3))
  expect((await crypto.subtle.digest('SHA-256', bytes)).byteLength).toBe(32)
  expect(structuredClone(bytes, { transfer: [bytes.buffer] })).toEqual(Uint8Array.of(1, 2, 3))
})
