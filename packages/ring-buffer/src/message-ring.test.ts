import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { message, messages, notifies, wordsOf } from '../test/padded.js'
import { createMessageRing, MessageReceiver, MessageSender, SharedRingBuffer } from './index.js'

describe('a message ring is made', () => {
  test.each([0, 15, -1, 1.5, Number.NaN, 2 ** 31 + 1, '8', undefined] as number[])(
    'not with a capacity of %s',
    capacity => {
      expect(() => createMessageRing({ capacity })).toThrow(RangeError)
    },
  )

  test('not on memory of another kind, another layout or another size', () => {
    const { buffer } = createMessageRing({ capacity: 16 })
    for (const other of [
      new SharedRingBuffer(4000).getSharedBuffer(),
      new SharedArrayBuffer(4),
      {} as SharedArrayBuffer,
    ]) {
      expect(() => new MessageSender(other)).toThrow(TypeError)
      expect(() => new MessageReceiver(other)).toThrow(TypeError)
    }
    wordsOf(buffer)[1] = 2
    expect(() => new MessageSender(buffer)).toThrow('layout 2, not 1')
    wordsOf(buffer).set([1, 1, 3], 1)
    expect(() => new MessageSender(buffer)).toThrow(expect.objectContaining({ code: 'CORRUPT_HEADER' }))
  })

  test('not with a spin or a peer that is none', () => {
    const { buffer } = createMessageRing({ capacity: 16 })
    for (const spin of [-1, 0.5, '1'] as number[])
      expect(() => new MessageSender(buffer, { spin })).toThrow(/^spin/)
    for (const peer of [null, {}, 'me', { aborted: false }] as unknown as AbortSignal[])
      expect(() => new MessageReceiver(buffer, { peer })).toThrow(/^peer must be/)
  })
})

test('what is no Uint8Array, or can never fit, is a mistake, and nothing is sent', async () => {
  const { sender, receiver } = messages(256)
  expect(sender.maxMessageBytes).toBe(248)
  expect(() => sender.trySend(message(249))).toThrow(
    'Cannot send 249 bytes: the ring holds a message of at most 248',
  )
  expect(() => sender.send(message(300))).toThrow(RangeError)
  await expect(sender.sendAsync(message(300))).rejects.toThrow(RangeError)
  expect(() => sender.trySend('text' as never)).toThrow(TypeError)
  expect(() => sender.sendBatch([message(1), 5 as never])).toThrow(TypeError)
  expect(() => sender.sendBatch([message(1), message(300)])).toThrow(RangeError)
  expect(() => sender.sendBatch(message(3) as never)).toThrow(TypeError)
  expect(receiver.tryReceive()).toBe(undefined)
  expect(sender.trySend(message(248))).toBe(true)
  expect(receiver.tryReceive()).toEqual(message(248))
})

describe('I15: whatever is sent, in whatever way, arrives whole, in order and once', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('send' as const),
      lengths: fc.array(fc.nat(12), { minLength: 1, maxLength: 1 }),
    }),
    fc.record({ do: fc.constant('batch' as const), lengths: fc.array(fc.nat(12), { maxLength: 5 }) }),
    fc.record({ do: fc.constantFrom('receive' as const, 'drain' as const), lengths: fc.constant([]) }),
  )
  test.each([16, 17, 24, 32, 104, 1000])('with a capacity of %i', capacity => {
    fc.assert(
      fc.property(
        fc
          .constantFrom(0, 2 ** 31, 2 ** 32)
          .chain(near => fc.nat(40).map(back => Math.max(0, near - back - capacity))),
        fc.array(step, { maxLength: 60 }),
        (from, steps) => {
          const { sender, receiver } = messages(capacity, { from })
          const model: number[][] = []
          let seed = 0
          const size = ({ length }: ArrayLike<number>): number => 1 + Math.ceil(length / 8)
          const room = (): number => Math.ceil(capacity / 8) - model.reduce((sum, one) => sum + size(one), 0)
          for (const { do: what, lengths } of steps) {
            const batch = lengths.map(length => message(Math.min(length, sender.maxMessageBytes), seed++))
            if (what === 'receive') expect(receiver.tryReceive()).toEqual(pop(model))
            if (what === 'drain') {
              const got: number[][] = []
              expect(receiver.drain(view => got.push([...view]))).toBe(model.length)
              expect(got).toEqual(model.splice(0))
            }
            if (what === 'send') {
              const [one = message(0)] = batch
              const fits = room() >= size(one)
              expect(sender.trySend(one)).toBe(fits)
              if (fits) model.push([...one])
            }
            if (what === 'batch') {
              const before = model.length
              for (const one of batch) {
                if (room() < size(one)) break
                model.push([...one])
              }
              expect(sender.sendBatch(batch)).toBe(model.length - before)
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  function pop(model: number[][]): Uint8Array | undefined {
    const first = model.shift()
    return first && Uint8Array.from(first)
  }
})

test('a received message is a copy that later ones leave alone', () => {
  const { sender, receiver } = messages(16)
  sender.trySend(message(8, 1))
  const first = receiver.tryReceive()
  sender.trySend(message(8, 2))
  expect(first).toEqual(message(8, 1))
  expect(first?.buffer).toBeInstanceOf(ArrayBuffer)
})

test('receiveInto fills the target, and leaves a message that is too long where it is', () => {
  const { sender, receiver } = messages(100, { from: 2 ** 32 - 50 })
  expect(receiver.receiveInto(new Uint8Array(9))).toBe(undefined)
  sender.sendBatch([message(9, 1), message(40, 2), message(0), message(9, 3)])
  const target = new Uint8Array(20)
  expect(receiver.receiveInto(target)).toBe(9)
  expect([...target]).toEqual([...message(9, 1), ...new Uint8Array(11)])
  expect(() => receiver.receiveInto(target)).toThrow('Cannot receive 40 bytes: target holds 20')
  expect(() => receiver.receiveInto([] as never)).toThrow(TypeError)
  expect(receiver.tryReceive()).toEqual(message(40, 2))
  expect(receiver.receiveInto(new Uint8Array())).toBe(0)
  expect(receiver.receiveInto(target)).toBe(9)
  sender.end()
  expect(receiver.receiveInto(target)).toBe(null)
})

describe('drain', () => {
  test('gives the memory of the whole batch back at once, and only afterwards', () => {
    const { sender, receiver } = messages(32)
    sender.sendBatch([message(8, 1), message(8, 2)])
    const room: boolean[] = []
    expect(receiver.drain(() => room.push(sender.trySend(message(1))))).toBe(2)
    expect(room).toEqual([false, false])
    expect(sender.trySend(message(24))).toBe(true)
  })

  test('goes on behind a message that fn threw on', () => {
    const { sender, receiver } = messages(100)
    sender.sendBatch([message(1), message(2), message(3)])
    let calls = 0
    expect(() =>
      receiver.drain(() => {
        if (++calls === 2) throw new Error('of fn')
      }),
    ).toThrow('of fn')
    expect(receiver.tryReceive()).toEqual(message(3))
  })

  test('refuses to receive from within', () => {
    const { sender, receiver } = messages(100)
    sender.trySend(message(1))
    receiver.drain(() => {
      expect(() => receiver.tryReceive()).toThrow(TypeError)
      expect(() => receiver.receiveInto(message(9))).toThrow(TypeError)
      expect(() => receiver.drain(() => {})).toThrow(TypeError)
    })
    expect(() => receiver.drain(undefined as never)).toThrow(TypeError)
    expect(receiver.tryReceive()).toBe(undefined)
  })
})

describe('I15: memory that something else has written to is an error, never a wrong message', () => {
  test.each([9, 100, 2 ** 31, 2 ** 32 - 1])('a length of %i', length => {
    const { buffer, sender, receiver } = messages(24, { from: 2 })
    sender.trySend(message(1))
    new DataView(buffer, 1536).setUint32(2 * 8, length, true)
    const corrupt = expect.objectContaining({ name: 'RingBufferError', code: 'CORRUPT_MESSAGE' })
    expect(() => receiver.tryReceive()).toThrow(corrupt)
    expect(() => receiver.drain(() => expect.unreachable())).toThrow(corrupt)
    expect(() => receiver.receive()).toThrow(corrupt)
  })

  test('cursors, a state or an error that can not be', () => {
    const { buffer, sender, receiver } = messages(16)
    const words = wordsOf(buffer)
    const corrupt = expect.objectContaining({ code: 'CORRUPT_HEADER' })
    words[96] = 7
    expect(() => receiver.tryReceive()).toThrow(corrupt)
    words[96] = 2
    for (const length of [-1, 509, 3]) {
      words[128] = length
      expect(() => receiver.tryReceive()).toThrow(corrupt)
    }
    words[96] = 0
    words[64] = 5
    expect(() => receiver.tryReceive()).toThrow(corrupt)
    expect(() => sender.trySend(message(1))).toThrow(corrupt)
    expect(() => new MessageSender(buffer)).toThrow(corrupt)
  })
})

describe('I13: the other side is notified', () => {
  test('never while it does not wait', async () => {
    const { sender, receiver } = messages(100)
    const made = await notifies(async () => {
      for (let i = 0; i < 50; i++) {
        sender.trySend(message(9))
        sender.sendBatch([message(3), message(4)])
        sender.send(message(1))
        await sender.sendAsync(message(1))
        receiver.tryReceive()
        receiver.receive()
        await receiver.receiveAsync()
        receiver.drain(() => {})
        expect(receiver.receive({ timeoutMs: 0 })).toBe(undefined)
        expect(await receiver.receiveAsync({ timeoutMs: 0 })).toBe(undefined)
      }
      sender.end()
      receiver.cancel()
    })
    expect(made).toBe(0)
  })

  test('once for a batch that it waits for, and not for the next', async () => {
    const { sender, receiver } = messages(100)
    const first = receiver.receiveAsync()
    expect(await notifies(() => sender.sendBatch([message(1), message(2)]))).toBe(1)
    expect(await first).toEqual(message(1))
    expect(await notifies(() => sender.trySend(message(3)))).toBe(0)
    while (receiver.tryReceive());
    // Waits that have been given up are no waiting any more.
    receiver.receive({ timeoutMs: 1 })
    expect(await notifies(() => sender.trySend(message(3)))).toBe(0)
    while (receiver.tryReceive());
    await receiver.receiveAsync({ timeoutMs: 1 })
    expect(await notifies(() => sender.trySend(message(3)))).toBe(0)
  })
})

describe('I16: calls that wait', () => {
  test('to receive get the messages in their order, and nothing overtakes them', async () => {
    const { sender, receiver } = messages(100)
    const waits = [receiver.receiveAsync(), receiver.receiveAsync(), receiver.receiveAsync()]
    sender.sendBatch([message(1), message(2), message(3)])
    expect(receiver.tryReceive()).toBe(undefined)
    expect(receiver.drain(() => expect.unreachable())).toBe(0)
    expect(() => receiver.receive()).toThrow(TypeError)
    expect(await Promise.all(waits)).toEqual([message(1), message(2), message(3)])
  })

  test('to send are sent in their order, though a later one would fit before', async () => {
    const { sender, receiver } = messages(24)
    sender.trySend(message(8))
    const waits = [sender.sendAsync(message(16, 1)), sender.sendAsync(message(0, 2))]
    expect([sender.trySend(message(0)), sender.sendBatch([message(0)])]).toEqual([false, 0])
    expect(() => sender.send(message(0))).toThrow(TypeError)
    expect(() => sender.end()).toThrow('2 calls still wait')
    expect(receiver.tryReceive()).toEqual(message(8))
    expect(await waits[0]).toBe(true)
    expect(await receiver.receiveAsync()).toEqual(message(16, 1))
    expect(await waits[1]).toBe(true)
    expect(receiver.tryReceive()).toEqual(message(0))
  })

  test('and are given up let those behind them go on, and take nothing', async () => {
    const { sender, receiver } = messages(32)
    sender.trySend(message(8))
    const controller = new AbortController()
    const given = sender.sendAsync(message(24), { signal: controller.signal })
    const late = sender.sendAsync(message(16), { timeoutMs: 1 })
    const small = sender.sendAsync(message(1))
    controller.abort(new Error('no longer'))
    await expect(given).rejects.toThrow('no longer')
    expect([await late, await small]).toEqual([false, true])
    expect([receiver.tryReceive(), receiver.tryReceive()]).toEqual([message(8), message(1)])
    const abandoned = receiver.receiveAsync({ signal: AbortSignal.timeout(1) })
    await expect(abandoned).rejects.toThrow()
    sender.trySend(message(2))
    expect(receiver.tryReceive()).toEqual(message(2))
  })

  test('give up after their time', async () => {
    const { sender, receiver } = messages(16)
    expect(receiver.receive({ timeoutMs: 2 })).toBe(undefined)
    expect(await receiver.receiveAsync({ timeoutMs: 2 })).toBe(undefined)
    sender.trySend(message(6))
    expect(sender.send(message(1), { timeoutMs: 2 })).toBe(false)
    expect(await sender.sendAsync(message(1), { timeoutMs: 2 })).toBe(false)
    expect(() => receiver.receive({ timeoutMs: -1 })).toThrow(RangeError)
  })
})
