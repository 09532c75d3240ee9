import { EventEmitter } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { message, messages, wordsOf } from '../test/padded.js'
import { type RingBufferError, SharedRingBuffer } from './index.js'

const withCode = (code: string) => expect.objectContaining({ name: 'RingBufferError', code })

describe('I14: after the messages before it', () => {
  test('an end is null, again and again', async () => {
    const { sender, receiver } = messages(24)
    sender.trySend(message(1))
    sender.end()
    sender.end()
    sender.fail(new Error('too late'))
    expect(receiver.tryReceive()).toEqual(message(1))
    expect([receiver.tryReceive(), receiver.receive(), await receiver.receiveAsync()]).toEqual([
      null,
      null,
      null,
    ])
    expect(receiver.drain(() => expect.unreachable())).toBe(0)
    expect(() => sender.trySend(message(1))).toThrow(TypeError)
    expect(() => sender.sendBatch([])).toThrow(TypeError)
  })

  test("a failure is the sender's error, with its name, message and code", async () => {
    const { sender, receiver } = messages(24)
    sender.trySend(message(1))
    sender.fail(Object.assign(new RangeError('löst 💥'), { code: 'EBOOM' }))
    sender.fail(new Error('a second one'))
    expect(receiver.drain(() => {})).toBe(1)
    const error = expect.objectContaining({ name: 'RangeError', message: 'löst 💥', code: 'EBOOM' })
    expect(() => receiver.tryReceive()).toThrow(error)
    expect(() => receiver.drain(() => {})).toThrow(error)
    await expect(receiver.receiveAsync()).rejects.toEqual(error)
  })

  test.each<[string, unknown, { name: string; message: unknown; code?: unknown }]>([
    [
      'a number as its code',
      Object.assign(new Error('m'), { code: 13 }),
      { name: 'Error', message: 'm', code: 13 },
    ],
    ['no error at all', 'just text', { name: 'Error', message: 'just text' }],
    [
      'a long message',
      new TypeError('ä'.repeat(5000)),
      { name: 'TypeError', message: expect.stringMatching(/^ä{100,}$/) },
    ],
    [
      'a code too long',
      Object.assign(new Error('m'), { code: 'x'.repeat(600) }),
      { name: 'Error', message: 'too long to be carried' },
    ],
  ])('a failure with %s', (_, thrown, expected) => {
    const { sender, receiver } = messages(24)
    sender.fail(thrown)
    expect(() => receiver.tryReceive()).toThrow(expect.objectContaining(expected))
  })
})

describe('I14: a cancellation', () => {
  test("fails the sender's calls with the reason as cause, and ends the receiver's", async () => {
    const { sender, receiver } = messages(24)
    sender.trySend(message(12))
    const pending = sender.sendAsync(message(9))
    const { cancelled } = sender
    receiver.cancel(Object.assign(new Error('client gone'), { code: 'ECONNRESET' }))
    receiver.cancel('again')
    await expect(pending).rejects.toEqual(withCode('CANCELLED'))
    const reason = await cancelled
    expect(reason).toMatchObject({ message: 'client gone', code: 'ECONNRESET' })
    expect(await sender.cancelled).toBe(reason)
    const error = await sender.sendAsync(message(1)).catch((error: RingBufferError) => error)
    expect(error).toMatchObject({ code: 'CANCELLED', cause: { message: 'client gone' } })
    expect(() => sender.trySend(message(1))).toThrow(withCode('CANCELLED'))
    expect([receiver.tryReceive(), await receiver.receiveAsync()]).toEqual([null, null])
  })

  test('settles what waits on its own side', async () => {
    const { sender, receiver } = messages(24)
    const receiving = receiver.receiveAsync()
    receiver.cancel()
    expect(await receiving).toBe(null)
    const other = messages(24)
    other.sender.trySend(message(12))
    const sending = other.sender.sendAsync(message(9))
    other.sender.fail(new Error('own'))
    await expect(sending).rejects.toThrow(TypeError)
    expect((await sender.cancelled).message).toBe('cancelled')
  })
})

describe('I17: a peer that is gone', () => {
  test.each<[string, () => { peer: AbortSignal | EventEmitter; die(): void }]>([
    [
      'by its signal',
      () => {
        const controller = new AbortController()
        return { peer: controller.signal, die: () => controller.abort() }
      },
    ],
    [
      'by its exit',
      () => {
        const peer = new EventEmitter()
        return { peer, die: () => peer.emit('exit', 1) }
      },
    ],
  ])('%s fails pending and later calls of both sides', async (_, begin) => {
    const { peer, die } = begin()
    const { sender, receiver } = messages(24, { peer })
    const other = messages(24, { peer })
    const receiving = [other.receiver.receiveAsync(), other.receiver.receiveAsync()]
    sender.trySend(message(12))
    const sending = sender.sendAsync(message(9))
    die()
    const gone = withCode('PEER_GONE')
    const calls = [...receiving, sending, sender.sendAsync(message(1)), other.receiver.receiveAsync()]
    await Promise.all(calls.map(call => expect(call).rejects.toEqual(gone)))
    expect(() => sender.trySend(message(1))).toThrow(gone)
    expect(() => sender.send(message(1))).toThrow(gone)
    expect(receiver.tryReceive()).toEqual(message(12)) // what it had sent is still there
    expect(() => receiver.tryReceive()).toThrow(gone)
    expect(() => receiver.receive()).toThrow(gone)
    expect(() => messages(24, { peer }).receiver.drain(() => {})).toThrow(gone)
  })

  test('and was terminated between clearing the flag of who sleeps and waking it, wakes it all the same', async () => {
    const controller = new AbortController()
    const { buffer, receiver } = messages(24, { peer: controller.signal })
    const receiving = receiver.receiveAsync()
    expect(wordsOf(buffer)[33]).toBe(1)
    wordsOf(buffer)[33] = 0
    controller.abort()
    await expect(receiving).rejects.toEqual(withCode('PEER_GONE'))
  })

  test('after it ended or cancelled is none', () => {
    const controller = new AbortController()
    const { sender, receiver } = messages(24, { peer: controller.signal })
    sender.trySend(message(1))
    sender.end()
    controller.abort()
    expect([receiver.tryReceive(), receiver.tryReceive()]).toEqual([message(1), null])
    const other = messages(24, { peer: controller.signal })
    other.receiver.cancel()
    expect(() => other.sender.trySend(message(1))).toThrow(withCode('CANCELLED'))
  })

  test('has one listener for all its rings', async () => {
    const peer = new EventEmitter()
    for (let i = 0; i < 30; i++) {
      const { sender, receiver } = messages(24, { peer })
      const wait = receiver.receiveAsync()
      sender.trySend(message(1))
      await wait
    }
    expect(peer.listenerCount('exit')).toBe(1)
  })

  test('a worker that is terminated ends the wait for it, and one that has ended before is gone at once', async () => {
    // It parks for ever, on memory that nobody notifies.
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads'); Atomics.wait(new Int32Array(workerData), 0, 0)`,
      { eval: true, workerData: new SharedRingBuffer(8).getSharedBuffer() },
    )
    const { buffer, receiver } = messages(24, { peer: worker })
    const waiting = receiver.receiveAsync()
    expect(wordsOf(buffer)[33]).toBe(1)
    await Promise.all([expect(waiting).rejects.toEqual(withCode('PEER_GONE')), worker.terminate()])
    const late = new Worker('', { eval: true })
    await new Promise(resolve => late.once('exit', resolve))
    expect(() => messages(24, { peer: late }).receiver.tryReceive()).toThrow(withCode('PEER_GONE'))
  })
})
