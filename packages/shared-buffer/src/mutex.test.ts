import { afterEach, expect, test, vi } from 'vitest'
import { SharedMutex } from './mutex.js'

const code = (code: string) => expect.objectContaining({ name: 'SharedBufferError', code })

afterEach(() => vi.restoreAllMocks())

test('I14: one holder at a time, also among objects on the same memory', () => {
  const mutex = new SharedMutex()
  const other = new SharedMutex(mutex.buffer)
  expect(mutex.tryLock()).toBe(true)
  expect(mutex.tryLock()).toBe(false)
  expect(other.tryLock()).toBe(false)
  expect(() => other.lock(5)).toThrow(code('TIMEOUT'))
  mutex.unlock()
  other.lock()
  expect(mutex.tryLock()).toBe(false)
  other.unlock()
})

test('I16: unlock is an error unless this object holds the lock, and changes nothing', () => {
  const mutex = new SharedMutex()
  const other = new SharedMutex(mutex.buffer)
  expect(() => mutex.unlock()).toThrow(code('NOT_HELD'))
  mutex.lock()
  expect(() => other.unlock()).toThrow(code('NOT_HELD'))
  expect(other.tryLock()).toBe(false)
  mutex.unlock()
  expect(() => mutex.unlock()).toThrow(code('NOT_HELD'))
})

test('I15: locking and unlocking that nobody contends makes no notify, a contended unlock makes one', async () => {
  const notify = vi.spyOn(Atomics, 'notify')
  const mutex = new SharedMutex()
  for (let round = 0; round < 100; round++) {
    mutex.lock()
    mutex.unlock()
    await mutex.lockAsync()
    mutex.unlock()
    await mutex.run(() => undefined)
  }
  expect(notify).not.toHaveBeenCalled()
  mutex.lock()
  const waiting = mutex.lockAsync()
  mutex.unlock()
  expect(notify).toHaveBeenCalledTimes(1)
  await waiting
  mutex.unlock()
})

test('waiting for ever for a lock that this thread holds is an error', () => {
  const mutex = new SharedMutex()
  mutex.lock()
  expect(() => mutex.lock(5)).toThrow(code('DEADLOCK'))
  expect(() => mutex.lock()).toThrow(code('DEADLOCK'))
})

test('async calls of one thread get the lock in their order', async () => {
  const mutex = new SharedMutex()
  const order: number[] = []
  let inside = 0
  await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      mutex.run(async () => {
        expect(++inside).toBe(1)
        await Promise.resolve()
        order.push(index)
        inside--
      }),
    ),
  )
  expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index))
  expect(mutex.tryLock()).toBe(true)
})

test('an async call does not overtake one that waits while the lock is free unnoticed', async () => {
  const mutex = new SharedMutex()
  const order: string[] = []
  mutex.lock()
  const first = mutex.run(() => order.push('first'))
  mutex.unlock()
  const second = mutex.run(() => order.push('second'))
  await Promise.all([first, second])
  expect(order).toEqual(['first', 'second'])
})

test('a wait for the lock times out or aborts, and the lock goes to who still waits', async () => {
  const mutex = new SharedMutex()
  mutex.lock()
  const controller = new AbortController()
  const aborted = mutex.lockAsync({ signal: controller.signal })
  const patient = mutex.lockAsync()
  await expect(mutex.lockAsync({ timeoutMs: 5 })).rejects.toThrow(code('TIMEOUT'))
  await expect(mutex.lockAsync({ timeoutMs: 0 })).rejects.toThrow(code('TIMEOUT'))
  controller.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  await expect(mutex.run(() => 1, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
    'before',
  )
  mutex.unlock()
  await patient
  expect(mutex.tryLock()).toBe(false)
  mutex.unlock()
  expect(mutex.tryLock()).toBe(true)
})

test('run answers what the function answers, and unlocks whatever it does', async () => {
  const mutex = new SharedMutex()
  expect(await mutex.run(() => 5)).toBe(5)
  expect(await mutex.run(async () => 6)).toBe(6)
  const fail = () => {
    throw new Error('mine')
  }
  await expect(mutex.run(fail)).rejects.toThrow('mine')
  await expect(mutex.run(async () => fail())).rejects.toThrow('mine')
  await expect(mutex.run(undefined as unknown as () => void)).rejects.toThrow(TypeError)
  expect(mutex.tryLock()).toBe(true)
})

test.each([-1, Number.NaN])('a timeout of %d is a RangeError', async timeoutMs => {
  const mutex = new SharedMutex()
  expect(() => mutex.lock(timeoutMs)).toThrow(RangeError)
  await expect(mutex.lockAsync({ timeoutMs })).rejects.toThrow(RangeError)
  expect(mutex.tryLock()).toBe(true)
})

test('a lock may lie anywhere in shared memory', () => {
  const buffer = new SharedArrayBuffer(12)
  const [a, b] = [new SharedMutex(buffer, 4), new SharedMutex(buffer, 8)]
  a.lock()
  expect(b.tryLock()).toBe(true)
  expect([...new Int32Array(buffer)]).toEqual([0, 1, 1])
})

test.each([-4, 2, 12, 0.5, Number.NaN, '4'])('a byte offset of %s in 12 bytes is a RangeError', offset => {
  expect(() => new SharedMutex(new SharedArrayBuffer(12), offset as number)).toThrow(RangeError)
})

test('a buffer that is none, too small, growable, or holds no lock is refused', () => {
  expect(() => new SharedMutex(new ArrayBuffer(8) as unknown as SharedArrayBuffer)).toThrow(TypeError)
  expect(() => new SharedMutex(null as unknown as SharedArrayBuffer)).toThrow(TypeError)
  expect(() => new SharedMutex(new SharedArrayBuffer(3))).toThrow(RangeError)
  expect(() => new SharedMutex(new SharedArrayBuffer(8, { maxByteLength: 16 }))).toThrow(TypeError)
  const buffer = new SharedArrayBuffer(4)
  new Int32Array(buffer)[0] = 3
  expect(() => new SharedMutex(buffer)).toThrow('buffer must hold a lock, got the word 3')
})
