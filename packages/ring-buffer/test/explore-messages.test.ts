import { explore } from '@scratchyjs/tooling/explore'
import { describe, expect, test } from 'vitest'
import {
  EDGES,
  inFull,
  LONG,
  messagesAt,
  outcome,
  paddedPlaces as places,
  receiver,
  sender,
  untilEnd,
  upTo,
} from './explored.js'
import { message } from './padded.js'

const [BEFORE_2_31 = 0, LAST = 0, LAST_BUT_ONE = 0] = EDGES
const error = Object.assign(new RangeError('too far'), { code: 'E_FAR' })
const cancelled = ['RingBufferError', 'CANCELLED', ['Error', 'enough', undefined]]

describe('I13, I14, I15: however two threads meet, both of which wait,', () => {
  test.each<{ capacity: number; from: number; messages: number[][]; preemptions?: number }>([
    { capacity: 24, from: BEFORE_2_31, messages: [[7], []] },
    { capacity: 24, from: LAST_BUT_ONE, messages: [[7, 8]] },
    ...inFull(
      { capacity: 16, from: BEFORE_2_31, messages: [[7], []] },
      { capacity: 24, from: LAST_BUT_ONE, messages: [[7, 8], [9]] },
      { capacity: 24, from: LAST_BUT_ONE, messages: [[7], [], []], preemptions: 3 },
      { capacity: 16, from: LAST, messages: [[7, 8], [], [9], [10]], preemptions: 3 },
      { capacity: 24, from: BEFORE_2_31, messages: [[7], [8], [], [9]], preemptions: 3 },
    ),
  ])(
    '$messages and the end come through a ring of $capacity from $from',
    async given => {
      const { capacity, from, messages } = given
      await explore({
        name: `${messages.length} messages and the end through ${capacity} from ${from}`,
        memory: messagesAt(capacity, from),
        places,
        ...upTo(given.preemptions),
        threads: {
          sender: sender(sender => {
            for (const message of messages) sender.send(Uint8Array.from(message))
            sender.end()
          }),
          receiver: receiver(receiver => untilEnd(() => receiver.receive())),
        },
        check: ({ results }) => expect(results.receiver).toEqual(messages),
      })
    },
    LONG,
  )

  test('a wake-up for nothing changes nothing', async () => {
    await explore({
      name: 'spurious wake-ups of both sides',
      memory: messagesAt(16, LAST),
      places,
      spurious: 1,
      threads: {
        sender: sender(sender => {
          sender.send(Uint8Array.of(7))
          sender.send(Uint8Array.of(8))
        }),
        receiver: receiver(receiver => [receiver.receive(), receiver.receive()].map(got => got?.[0])),
      },
      check: ({ results }) => expect(results.receiver).toEqual([7, 8]),
    })
  })

  test('the whole error comes after the message before it', async () => {
    await explore({
      name: 'a message and a failure',
      memory: messagesAt(16, LAST),
      places,
      threads: {
        sender: sender(sender => {
          sender.send(Uint8Array.of(7))
          sender.fail(error)
          sender.end()
        }),
        receiver: receiver(receiver => untilEnd(() => receiver.receive())),
      },
      check: ({ results }) => expect(results.receiver).toEqual([[7], ['RangeError', 'too far', 'E_FAR']]),
    })
  })

  test('a batch is received whole and at once', async () => {
    await explore({
      name: 'sendBatch and drain',
      memory: messagesAt(24, LAST),
      places,
      threads: {
        sender: sender(sender => {
          const sent = sender.sendBatch([Uint8Array.of(7), Uint8Array.of(), Uint8Array.of(8)])
          sender.end()
          return sent
        }),
        receiver: receiver(receiver => {
          const got: number[][] = []
          let batches = 0
          for (let last: unknown; last !== null; ) {
            batches += receiver.drain(message => got.push([...message])) > 0 ? 1 : 0
            last = receiver.receive()
            if (last) got.push([...(last as Uint8Array)])
          }
          return { got, batches }
        }),
      },
      check: ({ results }) => {
        expect(results.sender).toBe(2)
        expect((results.receiver as { got: unknown }).got).toEqual([[7], []])
      },
    })
  })

  test('a message that is received into the same target again is there whole', async () => {
    const messages = [7, 8].map(byte => message(16, byte))
    await explore({
      name: 'receiveInto one target twice',
      memory: messagesAt(24, LAST), // from position 0 on, so that no message goes round the end
      places,
      threads: {
        sender: sender(sender => messages.map(message => sender.send(message))),
        receiver: receiver(receiver => {
          const target = new Uint8Array(16)
          return messages.map(() => {
            const length = receiver.receiveInto(target)
            return length === undefined
              ? [...(receiver.receive() ?? [])]
              : [...target.subarray(0, length ?? 0)]
          })
        }),
      },
      check: ({ results }) => expect(results.receiver).toEqual(messages.map(message => [...message])),
    })
  })

  test('a cancellation ends both sides, with its reason', async () => {
    await explore({
      name: 'a cancellation while the sender waits',
      memory: messagesAt(16, LAST),
      places,
      threads: {
        // Also a message that came may be answered so: the receiver has cancelled before this is known.
        sender: sender(sender => outcome(() => [7, 8].map(byte => sender.send(Uint8Array.of(byte))))),
        receiver: receiver(receiver => {
          const first = receiver.receive()
          receiver.cancel('enough')
          return [first?.[0], receiver.receive()]
        }),
      },
      check: ({ results }) => {
        expect([[true, true], cancelled]).toContainEqual(results.sender)
        expect(results.receiver).toEqual([7, null])
      },
    })
  })

  test('an end and a cancellation at once end both sides', async () => {
    await explore({
      name: 'an end meets a cancellation',
      memory: messagesAt(16, LAST),
      places,
      threads: {
        sender: sender(sender => {
          const sent = outcome(() => sender.send(Uint8Array.of(7)))
          sender.end()
          return sent
        }),
        receiver: receiver(receiver => {
          receiver.cancel('enough')
          return receiver.receive()
        }),
      },
      check: ({ results }) => {
        expect([true, cancelled]).toContainEqual(results.sender)
        expect(results.receiver).toBe(null)
      },
    })
  })

  test('a wait that time ends takes nothing and loses nothing', async () => {
    await explore({
      name: 'time-outs of receive and send',
      memory: messagesAt(16, LAST),
      places,
      timeouts: 1,
      threads: {
        sender: sender(sender => [
          sender.send(Uint8Array.of(7)),
          sender.send(Uint8Array.of(8), { timeoutMs: 5 }),
        ]),
        receiver: receiver(receiver => [receiver.receive({ timeoutMs: 5 })?.[0], receiver.tryReceive()?.[0]]),
      },
      check: ({ results }) => {
        const got = (results.receiver as number[]).filter(message => message !== undefined)
        const sent = results.sender as boolean[]
        expect([7, 8].slice(0, got.length)).toEqual(got)
        expect(sent[0]).toBe(true)
        if (got.length === 2) expect(sent[1]).toBe(true)
      },
    })
  })
})
