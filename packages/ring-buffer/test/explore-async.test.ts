import { explore } from '@scratchyjs/tooling/explore'
import { describe, expect, test } from 'vitest'
import { MessageSender } from '../src/index.js'
import {
  bytesAt,
  channelAt,
  EDGES,
  LONG,
  messagesAt,
  outcome,
  paddedPlaces,
  reader,
  receiver,
  ring,
  ringPlaces,
  saying,
  sender,
  writer,
} from './explored.js'

const [BEFORE_2_31 = 0, LAST = 0] = EDGES
const cancelled = ['RingBufferError', 'CANCELLED', ['Error', 'enough', undefined]]

describe('I7, I10, I11, I13: however an event loop meets another thread,', () => {
  const blockingWriter = ring(ring => {
    for (const byte of [1, 2]) {
      ring.waitWritable()
      ring.write(Uint8Array.of(byte))
    }
  })
  const asyncWriter = ring(async ring => {
    for (const byte of [1, 2]) {
      await ring.waitWritableAsync()
      ring.write(Uint8Array.of(byte))
    }
  })
  const blockingReader = ring(ring => {
    const got: number[] = []
    while (got.length < 2) {
      ring.waitReadable()
      got.push(...(ring.read(2) ?? []))
    }
    return got
  })
  const asyncReader = ring(async ring => {
    const got: number[] = []
    while (got.length < 2) {
      await ring.waitReadableAsync()
      got.push(...(ring.read(2) ?? []))
    }
    return got
  })
  test.each([
    ['which blocks, bytes come to it', blockingWriter, asyncReader],
    ['which blocks, bytes come from it', asyncWriter, blockingReader],
    ['that is one too, bytes come through', asyncWriter, asyncReader],
  ])('%s', async (title, writer, reader) => {
    await explore({
      name: `a ring of 1 and a thread ${title}`,
      memory: bytesAt(1, LAST),
      places: ringPlaces,
      spurious: 1,
      threads: { writer, reader },
      check: ({ results }) => expect(results.reader).toEqual([1, 2]),
    })
  })

  test(
    'messages arrive in the order of the calls that wait',
    async () => {
      await explore({
        name: 'two calls of sendAsync, a receiver that blocks',
        memory: messagesAt(16, BEFORE_2_31),
        places: paddedPlaces,
        threads: {
          sender: sender(async sender => {
            return Promise.all([7, 8].map(byte => sender.sendAsync(Uint8Array.of(byte))))
          }),
          receiver: receiver(receiver => [receiver.receive()?.[0], receiver.receive()?.[0]]),
        },
        check: ({ results }) => expect(results).toEqual({ sender: [true, true], receiver: [7, 8] }),
      })
    },
    LONG,
  )

  test('a wait that is aborted takes no message from the one behind it', async () => {
    await explore({
      name: 'an abort while a message comes',
      memory: messagesAt(16, LAST),
      places: paddedPlaces,
      threads: {
        sender: sender(sender => {
          sender.trySend(Uint8Array.of(7))
          sender.end()
        }),
        receiver: receiver(async receiver => {
          const abort = new AbortController()
          const first = receiver.receiveAsync({ signal: abort.signal }).catch(({ message }) => [message])
          const second = receiver.receiveAsync()
          await Promise.resolve()
          abort.abort(new Error('enough'))
          return [(await first)?.[0], (await second)?.[0]]
        }),
      },
      check: ({ results }) => {
        expect([
          ['enough', 7],
          [7, undefined],
        ]).toContainEqual(results.receiver)
      },
    })
  })

  test('a wait that is aborted leaves no flag set, and nothing pending', async () => {
    await explore({
      name: 'an abort of the only wait',
      memory: messagesAt(16, LAST),
      places: paddedPlaces,
      threads: {
        sender: sender(sender => sender.trySend(Uint8Array.of(7))),
        receiver: receiver(async receiver => {
          const abort = new AbortController()
          const got = receiver.receiveAsync({ signal: abort.signal }).catch(({ message }) => [message])
          await Promise.resolve()
          abort.abort(new Error('enough'))
          return (await got)?.[0] ?? 'nothing'
        }),
      },
      check: ({ results, waiting, memory }) => {
        expect(['enough', 7]).toContain(results.receiver)
        expect({ waiting, readerAsleep: memory[132] }).toEqual({ waiting: 0, readerAsleep: 0 })
      },
    })
  })

  test('an aborted wait for bytes leaves nothing pending', async () => {
    await explore({
      name: 'an abort while too few bytes come',
      memory: bytesAt(2, LAST),
      places: ringPlaces,
      threads: {
        writer: ring(ring => ring.write(Uint8Array.of(1))),
        reader: ring(async ring => {
          const abort = new AbortController()
          const readable = ring.waitReadableAsync(2, { signal: abort.signal }).catch(({ message }) => message)
          await Promise.resolve()
          abort.abort(new Error('enough'))
          return readable
        }),
      },
      check: ({ results, waiting }) => {
        expect(results.reader).toBe('enough')
        expect(waiting).toBe(0)
      },
    })
  })

  test('time ends a wait that is not answered', async () => {
    await explore({
      name: 'time-out of receiveAsync',
      memory: messagesAt(16, LAST),
      places: paddedPlaces,
      timeouts: 1,
      threads: {
        sender: sender(sender => sender.trySend(Uint8Array.of(7))),
        receiver: receiver(async receiver => {
          const first = await receiver.receiveAsync({ timeoutMs: 5 })
          return (first ?? (await receiver.receiveAsync()))?.[0]
        }),
      },
      check: ({ results }) => expect(results.receiver).toBe(7),
    })
  })
})

describe('I17: however a thread dies,', () => {
  test('whoever receives gets what was sent whole, then the end or that it is gone', async () => {
    await explore({
      name: 'receiveAsync from a sender that dies',
      memory: messagesAt(16, LAST),
      places: paddedPlaces,
      mortal: ['sender'],
      threads: {
        sender: sender(sender => {
          sender.send(Uint8Array.of(7))
          sender.end()
        }),
        receiver: receiver(async receiver => {
          const got: unknown[] = []
          try {
            for (;;) {
              const message = await receiver.receiveAsync()
              if (message === null) return got
              got.push(message?.[0])
            }
          } catch (thrown) {
            return [...got, (thrown as { code: unknown }).code]
          }
        }),
      },
      check: ({ results, waiting }) => {
        expect([[7], ['PEER_GONE'], [7, 'PEER_GONE']]).toContainEqual(results.receiver)
        expect(waiting).toBe(0)
      },
    })
  })

  test('whoever waits for room has it, or learns that the receiver is gone', async () => {
    await explore({
      name: 'sendAsync to a receiver that dies',
      memory: messagesAt(16, BEFORE_2_31),
      places: paddedPlaces,
      mortal: ['receiver'],
      threads: {
        sender: sender(async sender => {
          const sent = [7, 8].map(byte => sender.sendAsync(Uint8Array.of(byte)).catch(({ code }) => code))
          return Promise.all(sent)
        }),
        receiver: receiver(receiver => receiver.receive()?.[0]),
      },
      check: ({ results, waiting }) => {
        expect([
          [true, true],
          [true, 'PEER_GONE'],
        ]).toContainEqual(results.sender)
        expect([7, undefined]).toContain(results.receiver)
        expect(waiting).toBe(0)
      },
    })
  })
})

describe('I14: however they meet,', () => {
  /** What a sender is told that comes to the ring when all is over. */
  const afterwards = (memory: Uint8Array): unknown => {
    const buffer = new SharedArrayBuffer(memory.length)
    new Uint8Array(buffer).set(memory)
    return outcome(() => new MessageSender(buffer).sendBatch([Uint8Array.of()]))
  }

  test('a sender learns by its next message that the receiver has left while it waited', async () => {
    await explore({
      name: 'a cancellation, and messages to a receiver that waits',
      memory: messagesAt(24, LAST),
      places: paddedPlaces,
      threads: {
        sender: sender(sender => outcome(() => [7, 8].map(byte => sender.trySend(Uint8Array.of(byte))))),
        receiver: receiver(async receiver => {
          const received = receiver.receiveAsync()
          await Promise.resolve()
          receiver.cancel('enough')
          return (await received)?.[0]
        }),
      },
      check: ({ results, heard, memory, waiting }) => {
        expect([[true, false], [true, true], cancelled]).toContainEqual(results.sender)
        expect([7, undefined]).toContain(results.receiver)
        expect(afterwards(memory)).toEqual(cancelled)
        expect(waiting).toBe(0)
        // I13: nobody is notified who does not sleep
        const answers = heard('sender')
        answers.forEach(({ request }, at) => {
          if (request?.op === 'notify') expect(answers[at - 2]?.answer).toBe(1)
        })
      },
    })
  })

  test('the promise of a cancellation is kept, and what waits for room rejects', async () => {
    await explore({
      name: 'cancelled, and sendAsync',
      memory: messagesAt(16, LAST),
      places: paddedPlaces,
      threads: {
        sender: sender(async sender => {
          const cancelled = sender.cancelled
          const sent = await Promise.all(
            [7, 8].map(byte => sender.sendAsync(Uint8Array.of(byte)).catch(saying)),
          )
          return [sent[1], (await cancelled).message]
        }),
        receiver: receiver(receiver => {
          receiver.cancel('enough')
          return receiver.receive()
        }),
      },
      check: ({ results }) => {
        expect(results.sender).toEqual([
          ['RingBufferError', 'CANCELLED', ['Error', 'enough', undefined]],
          'enough',
        ])
        expect(results.receiver).toBe(null)
      },
    })
  })

  test('a loop over a channel gets all chunks and ends, or throws', async () => {
    await explore({
      name: 'for await over a channel that fails',
      memory: channelAt(1, LAST),
      places: paddedPlaces,
      threads: {
        writer: writer(writer => {
          writer.write(Uint8Array.of(1))
          writer.fail(new Error('broken'))
        }),
        reader: reader(async reader => {
          const got: unknown[] = []
          try {
            for await (const chunk of reader) got.push(...chunk)
          } catch (thrown) {
            got.push(saying(thrown))
          }
          return got
        }),
      },
      check: ({ results }) => expect(results.reader).toEqual([1, ['Error', 'broken', undefined]]),
    })
  })

  test('leaving the loop ends a writer that waits', async () => {
    await explore({
      name: 'a loop that is left, and writeAsync',
      memory: channelAt(1, LAST),
      places: paddedPlaces,
      threads: {
        writer: writer(writer => writer.writeAsync(Uint8Array.of(1, 2, 3)).catch(thrown => thrown.code)),
        reader: reader(async reader => {
          for await (const chunk of reader) return chunk[0]
        }),
      },
      check: ({ results }) => expect(results).toEqual({ writer: 'CANCELLED', reader: 1 }),
    })
  })
})
