import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { SharedRingBuffer } from '../src/index.js'
import { consume, type Patience, produce, type Stream } from './threads/stream.js'

const sideScript = join(inject('folder'), 'node_modules/@scratchyjs/ring-buffer/test/threads/side.js')
const workers: Worker[] = []

afterEach(async () => {
  await Promise.all(workers.splice(0).map(worker => worker.terminate()))
})

function start(ring: SharedRingBuffer, role: 'produce' | 'consume', stream: Stream): Worker {
  const worker = new Worker(sideScript, { workerData: { buffer: ring.getSharedBuffer(), role, stream } })
  workers.push(worker)
  return worker
}

/** Resolves when the thread has ended by itself; rejects with its error. */
async function done(worker: Worker): Promise<void> {
  expect(await once(worker, 'exit')).toEqual([0])
}

/** A ring whose cursors pass 2^31 or 2^32 while a test is at it. */
function ringNear(capacity: number, around: number): SharedRingBuffer {
  const ring = new SharedRingBuffer(capacity)
  new Int32Array(ring.getSharedBuffer(), 0, 2).fill((around - 2 * capacity - 500) | 0)
  return ring
}

describe.each<[Patience, number, number]>([
  ['spinning', 1, 300],
  ['spinning', 7, 1_000],
  ['spinning', 1000, 100_000],
  ['spinning', 65536, 1_000_000],
  ['parked', 1, 3_000],
  ['parked', 7, 10_000],
  ['parked', 1000, 500_000],
  ['parked', 65536, 2_000_000],
])('I3: two %s threads, %i bytes apart,', (patience, capacity, bytes) => {
  test.each([2 ** 31, 2 ** 32])('carry every byte across %i', async around => {
    const ring = ringNear(capacity, around)
    const stream = { patience, from: 0, to: bytes }
    await Promise.all([done(start(ring, 'produce', stream)), done(start(ring, 'consume', stream))])
    expect(ring.isEmpty).toBe(true)
  })
})

describe('I7: the main thread, which must not block, and a parked one', () => {
  test.each([1, 100, 4096])('carry every byte both ways, %i at most under way', async capacity => {
    const to = capacity === 1 ? 2_000 : 500_000
    const down = ringNear(capacity, 2 ** 32)
    const up = ringNear(capacity, 2 ** 31)
    await Promise.all([
      produce(down, { patience: 'async', from: 0, to }),
      done(start(down, 'consume', { patience: 'parked', from: 0, to })),
      done(start(up, 'produce', { patience: 'parked', from: 0, to })),
      consume(up, { patience: 'async', from: 0, to }),
    ])
    expect([down.isEmpty, up.isEmpty]).toEqual([true, true])
  })
})

describe('a thread that is terminated', () => {
  const endless = Number.MAX_SAFE_INTEGER

  test('I3: in the midst of writing leaves whole chunks, and a successor goes on after them', async () => {
    const ring = ringNear(1000, 2 ** 32)
    let at = 0
    for (let life = 0; life < 5; life++) {
      const producer = start(ring, 'produce', {
        patience: life % 2 ? 'parked' : 'spinning',
        from: at,
        to: endless,
      })
      await consume(ring, { patience: 'async', from: at, to: at + 20_000 })
      await producer.terminate()
      const rest = ring.availableToRead
      await consume(ring, { patience: 'async', from: at + 20_000, to: at + 20_000 + rest })
      at += 20_000 + rest
      expect(ring.isEmpty).toBe(true)
      expect(await ring.waitReadableAsync(1, { timeoutMs: 1 })).toBe(false)
    }
  })

  test('I4: in the midst of reading lets go of nothing it has not read', async () => {
    const ring = new SharedRingBuffer(1000)
    const consumer = start(ring, 'consume', { patience: 'parked', from: 0, to: endless })
    await produce(ring, { patience: 'async', from: 0, to: 50_000 })
    await consumer.terminate()
    const left = ring.availableToRead
    await consume(ring, { patience: 'async', from: 50_000 - left, to: 50_000 })
    expect(ring.isEmpty).toBe(true)
  })

  test('while it is parked ends, and its peer times out', async () => {
    const ring = new SharedRingBuffer(10)
    const consumer = start(ring, 'consume', { patience: 'parked', from: 0, to: endless })
    await produce(ring, { patience: 'async', from: 0, to: 5 })
    await ring.waitWritableAsync(10)
    expect(await consumer.terminate()).toBe(1)
    ring.write(new Uint8Array(10))
    expect(ring.waitWritable(1, { timeoutMs: 5 })).toBe(false)
    expect(await ring.waitWritableAsync(1, { timeoutMs: 5 })).toBe(false)
  })

  test('I11: while it waits without blocking leaves no registration', async () => {
    const ring = new SharedRingBuffer(10)
    const consumer = start(ring, 'consume', { patience: 'async', from: 0, to: endless })
    await produce(ring, { patience: 'async', from: 0, to: 5 })
    await ring.waitWritableAsync(10)
    await consumer.terminate()
    expect(Atomics.notify(new Int32Array(ring.getSharedBuffer(), 0, 2), 0)).toBe(0)
  })
})

// Knows nothing but the header: parks on the raw word, tells why each wait ended, and ends once one was woken.
const stranger = `
  const { parentPort, workerData: { buffer, word } } = require('node:worker_threads')
  const words = new Int32Array(buffer, 0, 2)
  for (let seen = Atomics.load(words, word), why; why !== 'ok'; seen = Atomics.load(words, word)) {
    parentPort.postMessage('parking')
    why = Atomics.wait(words, word, seen, 5000)
    parentPort.postMessage(why)
  }
`

test.each([
  ['writePos is woken by a write', 0],
  ['readPos is woken by a read', 1],
])('I6: a stranger parked on %s', async (_, word) => {
  const ring = new SharedRingBuffer(100)
  if (word === 1) ring.write(new Uint8Array(100))
  const worker = new Worker(stranger, { eval: true, workerData: { buffer: ring.getSharedBuffer(), word } })
  workers.push(worker)
  const reasons: string[] = []
  worker.on('message', (message: string) => {
    if (message !== 'parking') return reasons.push(message)
    // It may not be parked yet: 'not-equal' is right then, and the next round gives it a little longer.
    return setTimeout(() => (word === 0 ? ring.write(new Uint8Array(1)) : ring.read(1)), reasons.length)
  })
  await done(worker)
  expect(reasons.at(-1)).toBe('ok')
  expect(reasons).not.toContain('timed-out')
})
