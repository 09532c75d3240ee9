import { once } from 'node:events'
import { expect, test } from 'vitest'
import { SharedMutex } from '../src/index.js'
import { messageFrom, startThread } from './start.js'

test('I14: four threads and this one, blocking and async, lose no step of a counter', async () => {
  const mutex = new SharedMutex()
  const counter = new Int32Array(new SharedArrayBuffer(8))
  const rounds = 2000
  const threads = [true, true, false, false].map(blocking =>
    startThread('counter', { lock: mutex.buffer, counter: counter.buffer, rounds, blocking }),
  )
  const exits = threads.map(thread => once(thread, 'exit'))
  for (let round = 0; round < rounds; round++) {
    await mutex.run(() => {
      const before = counter[0] ?? 0
      for (let spin = 0; spin < 20; spin++) counter[1] = spin
      counter[0] = before + 1
    })
  }
  expect((await Promise.all(exits)).flat()).toEqual([0, 0, 0, 0])
  expect(counter[0]).toBe(5 * rounds)
  expect(mutex.tryLock()).toBe(true)
})

test('I6: a waiter that is too busy to notice does not keep the free lock from the others', async () => {
  const mutex = new SharedMutex()
  mutex.lock()
  const busy = startThread('lock-waiter', { lock: mutex.buffer, how: 'busy' })
  expect(await messageFrom(busy)).toBe('waiting')
  const other = startThread('lock-waiter', { lock: mutex.buffer, how: 'blocking' })
  expect(await messageFrom(other)).toBe('waiting')
  const locked = messageFrom(other)
  mutex.unlock()
  expect(await locked).toBe('locked')
})
