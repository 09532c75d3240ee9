import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, inject, test } from 'vitest'
import { createMessageRing, MessageSender } from '../src/index.js'
import { message, messages, startAt } from './padded.js'

const script = join(inject('folder'), 'node_modules/@scratchyjs/ring-buffer/test/threads/messages.js')
const workers: Worker[] = []

afterEach(async () => {
  await Promise.all(workers.splice(0).map(worker => worker.terminate()))
})

function start(workerData: object): Worker {
  const worker = new Worker(script, { workerData })
  workers.push(worker)
  return worker
}

test.each([
  ['parked at once', 16, 4_000, 0],
  ['parked at once', 24, 10_000, 0],
  ['parked at once', 1000, 10_000, 0],
  ['spinning first', 24, 10_000, 200],
  ['spinning first', 4096, 10_000, 200],
])('I13, I15: threads %s over %i bytes carry every message across 2^32', async (_, capacity, count, spin) => {
  const { buffer } = createMessageRing({ capacity })
  startAt(buffer, 2 ** 32 - capacity)
  const receiver = start({ buffer, role: 'receive', count, spin })
  const sender = start({ buffer, role: 'send', count, spin })
  const [[received]] = await Promise.all([once(receiver, 'message'), once(sender, 'exit')])
  expect(received).toBe(count)
})

test('I17: a receiver terminated while it sleeps fails the sender that waits for it', async () => {
  const { buffer } = createMessageRing({ capacity: 20 })
  const receiver = start({ buffer, role: 'receive', count: 0, spin: 0 })
  const sender = new MessageSender(buffer, { peer: receiver })
  const { sender: other } = messages(24, { peer: receiver })
  other.trySend(message(16))
  const waiting = expect(other.sendAsync(message(1))).rejects.toMatchObject({ code: 'PEER_GONE' })
  await receiver.terminate()
  await waiting
  expect(() => sender.trySend(message(1))).toThrow(expect.objectContaining({ code: 'PEER_GONE' }))
})
