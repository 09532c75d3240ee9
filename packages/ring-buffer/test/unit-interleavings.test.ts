import { expect, test } from 'vitest'
import { inEveryGap } from './gaps.js'
import { message, messages, numbers, slots } from './padded.js'

const from = 2 ** 32 - 2

test('I15: a consumer in any gap of a push finds whole records only', () => {
  inEveryGap({
    begin: () => {
      const pair = slots(4, 8, { from })
      pair.producer.push(message(8, 1))
      return { ...pair, got: [] as Uint8Array[] }
    },
    act: ({ producer }) => producer.push(message(8, 2)),
    intrude: ({ consumer, got }) => consumer.drain(record => got.push(record.slice())),
    check: (pushed, { consumer, got }) => {
      consumer.drain(record => got.push(record.slice()))
      expect(pushed).toBe(true)
      expect(got).toEqual([message(8, 1), message(8, 2)])
    },
  })
})

// What overwrites differs in every byte from what is overwritten, wherever it begins.
const ones = new Uint8Array(16).fill(1)
const nines = new Uint8Array(16).fill(9)

test('I15: a sender in any gap of a receiver overwrites nothing that is still being read', () => {
  const target = new Uint8Array(16)
  for (const take of ['tryReceive', 'receiveInto'] as const) {
    inEveryGap({
      begin: () => {
        const pair = messages(32, { from })
        pair.sender.trySend(ones)
        return pair
      },
      act: ({ receiver }) =>
        take === 'tryReceive' ? receiver.tryReceive() : receiver.receiveInto(target) && target,
      intrude: ({ sender }) => sender.trySend(nines),
      check: got => expect(got).toEqual(ones),
    })
  }
})

test('I15: a producer in any gap of a pop overwrites nothing that is still being read', () => {
  inEveryGap({
    begin: () => {
      const pair = slots(1, 16, { from })
      pair.producer.push(ones)
      return pair
    },
    act: ({ consumer }) => consumer.pop(),
    intrude: ({ producer }) => producer.push(nines),
    check: got => expect(got).toEqual(ones),
  })
  inEveryGap({
    begin: () => {
      const pair = numbers(1, { from })
      pair.producer.push(1)
      return pair
    },
    act: ({ consumer }) => consumer.pop(),
    intrude: ({ producer }) => producer.push(9),
    check: got => expect(got).toBe(1),
  })
})
