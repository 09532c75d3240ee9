import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createSharedBufferPool, readFromBuffer, type SharedBufferPool, writeToBuffer } from '../src/index.js'
import { messageFrom, startThread } from './start.js'
import { waitWhile } from './threads/wait-while.js'

function acquire(pool: SharedBufferPool) {
  const lease = pool.acquire()
  if (lease === undefined) throw new Error('no slot is free')
  return lease
}

test('workers answer in the slots that they were told of, over many reuses', async () => {
  const pool = createSharedBufferPool({ slots: 3, slotSize: 100 })
  const threads = [startThread('slot-worker', pool.buffer), startThread('slot-worker', pool.buffer)]
  const work = async (thread: (typeof threads)[number], from: number) => {
    for (let n = from; n < 300; n += 2) {
      const lease = await pool.acquireAsync()
      if (lease === undefined) throw new Error('no slot')
      writeToBuffer(lease.mailbox, `message ${n}`)
      thread.postMessage({ index: lease.index, generation: lease.generation })
      expect(await messageFrom(thread)).toBe('done')
      expect(readFromBuffer(lease.mailbox, 0)).toBe([...`message ${n}`].reverse().join(''))
      lease.release()
    }
  }
  await Promise.all(threads.map(work))
  expect(pool.stats()).toMatchObject({ inUse: 0, highWater: 2 })
})

test('I10: a worker that comes too late is refused, and the slot’s next lease is not disturbed', async () => {
  const pool = createSharedBufferPool({ slots: 1, slotSize: 100 })
  const thread = startThread('slot-worker', pool.buffer)
  const old = acquire(pool)
  old.release()
  const fresh = acquire(pool)
  writeToBuffer(fresh.mailbox, 'not yours')
  thread.postMessage({ index: old.index, generation: old.generation })
  expect(await messageFrom(thread)).toBe('refused')
  expect(readFromBuffer(fresh.mailbox, 0)).toBe('not yours')
})

test('I11: the slot of a worker that is killed in the middle comes back when that worker is gone', async () => {
  const pool = createSharedBufferPool({ slots: 1, slotSize: 100 })
  const hanging = startThread('slot-worker', pool.buffer)
  const lease = acquire(pool)
  writeToBuffer(lease.mailbox, 'abc')
  hanging.postMessage({ index: lease.index, generation: lease.generation, hang: true })
  expect(await messageFrom(hanging)).toBe('hanging')
  expect(() => lease.release()).toThrow(expect.objectContaining({ code: 'SLOT_CLAIMED' }))

  let gone = false
  const exit = once(hanging, 'exit').then(() => {
    gone = true
  })
  lease.quarantine(exit)
  expect(pool.acquire()).toBeUndefined()
  expect(pool.stats()).toMatchObject({ inUse: 0, quarantined: 1 })
  const next = pool.acquireAsync()
  hanging.terminate()
  const fresh = (await next) ?? expect.fail('no slot')
  expect(gone).toBe(true)

  const other = startThread('slot-worker', pool.buffer)
  writeToBuffer(fresh.mailbox, 'def')
  other.postMessage({ index: fresh.index, generation: fresh.generation })
  expect(await messageFrom(other)).toBe('done')
  expect(readFromBuffer(fresh.mailbox, 0)).toBe('fed')
})

test('I11: however claim, finish and quarantine meet, the slot is free only when nobody can be using it', async () => {
  const rounds = 3000
  const pool = createSharedBufferPool({ slots: 1, slotSize: 8 })
  // round that is announced, index, generation, outcome (1 refused, 2 finished, 3 revoked)
  const words = new Int32Array(new SharedArrayBuffer(16))
  startThread('claimer', { pool: pool.buffer, words: words.buffer, rounds })
  for (let round = 1; round <= rounds; round++) {
    const lease = acquire(pool)
    Atomics.store(words, 1, lease.index)
    Atomics.store(words, 2, lease.generation)
    Atomics.store(words, 3, 0)
    Atomics.store(words, 0, round)
    Atomics.notify(words, 0)
    for (let spin = 0; spin < (round * 17) % 600; spin++) Atomics.load(words, 3)
    let settle = () => {}
    const claimerDone = new Promise<void>(resolve => {
      settle = resolve
    })
    lease.quarantine(claimerDone)
    const free = pool.stats().quarantined === 0
    waitWhile(words, 3, 0)
    const outcome = Atomics.load(words, 3)
    // Refused: free at once. Finished before the quarantine: free at once. Revoked: out of use till now.
    expect({ outcome, free }).toEqual({ outcome, free: outcome !== 3 })
    settle()
    await claimerDone
  }
})
