import { describe, expect, test } from 'vitest'
import type { MessageReceiver, MessageSender } from '../src/index.js'
import { inEveryGap } from './gaps.js'
import { message, messages, wordsOf } from './padded.js'

const begin = () => {
  const pair = messages(32, { from: 2 ** 32 - 3, spin: 0 })
  pair.sender.trySend(message(3, 1))
  return pair
}

test.each<[string, (sender: MessageSender) => number, Uint8Array[]]>([
  ['trySend', sender => Number(sender.trySend(message(5, 2))), [message(5, 2)]],
  ['sendBatch', sender => sender.sendBatch([message(2, 2), message(3, 3)]), [message(2, 2), message(3, 3)]],
])('I15: a receiver in any gap of %s finds whole messages only', (_, act, batch) => {
  const gaps = inEveryGap({
    begin: () => ({ ...begin(), got: [] as Uint8Array[] }),
    act: ({ sender }) => act(sender),
    intrude: ({ receiver, got }) => receiver.drain(view => got.push(view.slice())),
    check: (sent, { receiver, got }) => {
      receiver.drain(view => got.push(view.slice()))
      expect(sent).toBeGreaterThan(0)
      expect(got).toEqual([message(3, 1), ...batch].slice(0, 1 + sent))
    },
  })
  expect(gaps).toBeGreaterThan(3)
})

test.each<[string, (receiver: MessageReceiver) => Uint8Array]>([
  ['tryReceive', receiver => receiver.tryReceive() as Uint8Array],
  [
    'drain',
    receiver => {
      const got: Uint8Array[] = []
      receiver.drain(view => {
        Atomics.load(new Int32Array(1), 0) // a gap before the view is read
        got.push(view.slice())
      })
      return got[0] as Uint8Array
    },
  ],
])('I15: a sender in any gap of %s overwrites nothing that is still being read', (_, receive) => {
  inEveryGap({
    begin: () => {
      const pair = messages(32, { from: 2 ** 32 - 3 })
      pair.sender.trySend(message(14, 1))
      return pair
    },
    act: ({ receiver }) => receive(receiver),
    intrude: ({ sender }) => sender.trySend(message(16, 4)),
    check: got => expect(got).toEqual(message(14, 1)),
  })
})

describe('I13: in any gap of a wait, what it waits for ends it:', () => {
  test('a message', () => {
    inEveryGap({
      begin: () => messages(32, { spin: 0 }),
      act: ({ receiver }) => receiver.receive(),
      intrude: ({ sender }) => sender.trySend(message(3)),
      check: got => expect(got).toEqual(message(3)),
    })
  })

  test('room', () => {
    inEveryGap({
      begin,
      act: ({ sender }) => sender.send(message(16)),
      intrude: ({ receiver }) => receiver.drain(() => {}),
      check: (sent, { receiver }) => expect([sent, receiver.tryReceive()]).toEqual([true, message(16)]),
    })
  })

  test('an end', () => {
    inEveryGap({
      begin: () => messages(32, { spin: 0 }),
      act: ({ receiver }) => receiver.receive(),
      intrude: ({ sender }) => sender.end(),
      check: got => expect(got).toBe(null),
    })
  })

  test('a failure', () => {
    inEveryGap({
      begin: () => messages(32, { spin: 0 }),
      act: ({ receiver }) => {
        try {
          return receiver.receive()
        } catch (error) {
          return (error as Error).message
        }
      },
      intrude: ({ sender }) => sender.fail(new Error('boom')),
      check: got => expect(got).toBe('boom'),
    })
  })

  test('a cancellation', () => {
    inEveryGap({
      begin,
      act: ({ sender }) => {
        try {
          return sender.send(message(16))
        } catch (error) {
          return (error as { code: string }).code
        }
      },
      intrude: ({ receiver }) => receiver.cancel(),
      check: got => expect(got).toBe('CANCELLED'),
    })
  })

  test('a message, without blocking', async () => {
    const waits: Promise<unknown>[] = []
    inEveryGap({
      begin: () => messages(32),
      act: ({ receiver }) => receiver.receiveAsync({ timeoutMs: 5000 }),
      intrude: ({ sender }) => sender.trySend(message(3)),
      check: wait => waits.push(wait),
    })
    for (const got of await Promise.all(waits)) expect(got).toEqual(message(3))
  })
})

test.each<[string, (sender: MessageSender) => unknown]>([
  ['a message', sender => sender.trySend(message(3))],
  ['a batch', sender => sender.sendBatch([message(3), message(1)])],
  ['an end', sender => sender.end()],
  ['a failure', sender => sender.fail(new Error('boom'))],
])('I13: who falls asleep in any gap of %s is woken', async (_, act) => {
  const waits: Promise<unknown>[] = []
  inEveryGap({
    begin: () => messages(32),
    act: ({ sender }) => act(sender),
    intrude: ({ receiver }) => waits.push(receiver.receiveAsync()),
    check: (_, { buffer }) => expect(Atomics.notify(wordsOf(buffer), 33)).toBe(0), // nobody is asleep any more
  })
  await Promise.allSettled(waits)
})

test('I13: who falls asleep in any gap of a reader that makes room is woken', async () => {
  const waits: Promise<unknown>[] = []
  inEveryGap({
    begin,
    act: ({ receiver }) => receiver.tryReceive(),
    intrude: ({ sender }) => waits.push(sender.sendAsync(message(16))),
    check: (_, { buffer }) => expect(Atomics.notify(wordsOf(buffer), 65)).toBe(0),
  })
  await Promise.allSettled(waits)
})

test('I14: an end in any gap of a receiver never hides the message before it', () => {
  inEveryGap({
    begin: () => messages(32),
    act: ({ receiver }) => receiver.tryReceive(),
    intrude: ({ sender }) => {
      sender.trySend(message(3))
      sender.end()
    },
    check: (got, { receiver }) => {
      if (got !== undefined) expect(got).toEqual(message(3))
      else expect(receiver.tryReceive()).toEqual(message(3))
      expect(receiver.tryReceive()).toBe(null)
    },
  })
})

test('I14: whoever sees a failure or a cancellation sees all of its error', () => {
  inEveryGap({
    begin,
    act: ({ sender }) => sender.fail(new Error('boom')),
    intrude: ({ receiver }) => {
      expect(receiver.tryReceive()).toEqual(message(3, 1))
      try {
        expect(receiver.tryReceive()).toBe(undefined)
      } catch (error) {
        expect((error as Error).message).toBe('boom')
      }
    },
    check: () => {},
  })
  inEveryGap({
    begin,
    act: ({ receiver }) => receiver.cancel(new Error('enough')),
    intrude: ({ sender }) => {
      try {
        expect(sender.trySend(message(1))).toBe(true)
      } catch (error) {
        expect((error as Error).cause).toMatchObject({ message: 'enough' })
      }
    },
    check: () => {},
  })
})
