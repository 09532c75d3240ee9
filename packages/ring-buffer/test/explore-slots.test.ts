import { explore } from '@scratchyjs/tooling/explore'
import { describe, expect, test } from 'vitest'
import type { Float64Consumer, SlotConsumer } from '../src/index.js'
import {
  EDGES,
  inFull,
  LONG,
  numberConsumer,
  numberProducer,
  numbersAt,
  outcome,
  paddedPlaces as places,
  saying,
  slotConsumer,
  slotProducer,
  slotsAt,
  upTo,
} from './explored.js'
import { message } from './padded.js'

const [BEFORE_2_31 = 0, LAST = 0, LAST_BUT_ONE = 0] = EDGES
const error = Object.assign(new RangeError('too far'), { code: 'E_FAR' })
const cancelled = ['RingBufferError', 'CANCELLED', ['Error', 'enough', undefined]]

/** Records of two bytes that tell their number. */
const record = (number: number, size = 2): Uint8Array => Uint8Array.of(number, number + 100).subarray(0, size)

/** All that a consumer pops, as it was when it came, then what the writer's error says. */
function popped(consumer: SlotConsumer | Float64Consumer, into?: Uint8Array): unknown[] {
  const got: unknown[] = []
  const end = outcome(() => {
    for (;;) {
      consumer.waitReadable()
      const value = into ? (consumer as SlotConsumer).pop(into) : consumer.pop()
      if (value === undefined) throw new Error('nothing to read after all')
      if (value === null) return undefined
      got.push(typeof value === 'number' ? value : [...value])
    }
  })
  return end === undefined ? got : [...got, end]
}

describe('I13, I14, I15: however two threads meet, both of which wait,', () => {
  test.each<{ slots: number; slotSize: number; from: number; records: number; preemptions?: number }>([
    { slots: 1, slotSize: 2, from: LAST, records: 1 },
    { slots: 2, slotSize: 1, from: BEFORE_2_31, records: 1 },
    ...inFull(
      { slots: 1, slotSize: 2, from: LAST, records: 2 },
      { slots: 2, slotSize: 1, from: BEFORE_2_31, records: 2 },
      { slots: 2, slotSize: 1, from: LAST_BUT_ONE, records: 3, preemptions: 3 },
      { slots: 3, slotSize: 2, from: LAST_BUT_ONE, records: 5, preemptions: 3 },
    ),
  ])(
    '$records records and the end come through $slots slots of $slotSize from $from',
    async given => {
      const { slots, slotSize, from } = given
      const records = Array.from({ length: given.records }, (_, index) => record(index, slotSize))
      await explore({
        name: `${records.length} records and the end through ${slots} slots of ${slotSize} from ${from}`,
        memory: slotsAt(slots, slotSize, from),
        places,
        ...upTo(given.preemptions),
        threads: {
          producer: slotProducer(producer => {
            for (const record of records) {
              producer.waitWritable()
              if (!producer.push(record)) throw new Error('no room after all')
            }
            producer.end()
          }),
          consumer: slotConsumer(consumer => popped(consumer)),
        },
        check: ({ results }) => expect(results.consumer).toEqual(records.map(record => [...record])),
      })
    },
    LONG,
  )

  test.each([[1, LAST, [-1 / 3]], ...inFull<[number, number, number[]]>([2, LAST_BUT_ONE, [0.5, -1 / 3]])])(
    'numbers and a failure come through %i slots from %i',
    async (slots, from, numbers) => {
      await explore({
        name: `numbers and a failure through ${slots} slots from ${from}`,
        memory: numbersAt(slots, from),
        places,
        threads: {
          producer: numberProducer(producer => {
            for (const number of numbers) {
              producer.waitWritable()
              producer.push(number)
            }
            producer.fail(error)
          }),
          consumer: numberConsumer(consumer => popped(consumer)),
        },
        check: ({ results }) =>
          expect(results.consumer).toEqual([...numbers, ['RangeError', 'too far', 'E_FAR']]),
      })
    },
    LONG,
  )

  // Into the same target again a record is copied by words of four bytes, what is left over byte by byte.
  test.each([
    [1, 2, LAST],
    [3, 1, LAST_BUT_ONE],
    [2, 20, LAST_BUT_ONE],
  ])('%i slots of %i from %i are popped into the same target again', async (slots, slotSize, from) => {
    const records = [7, 8].map(byte => message(slotSize, byte))
    await explore({
      name: `pop into one target, ${slots} slots of ${slotSize}`,
      memory: slotsAt(slots, slotSize, from),
      places,
      threads: {
        producer: slotProducer(producer => {
          for (const record of records) {
            producer.waitWritable()
            producer.push(record)
          }
        }),
        consumer: slotConsumer(consumer => {
          const into = new Uint8Array(slotSize)
          return records.map(() => {
            consumer.waitReadable()
            return [...(consumer.pop(into) ?? [])]
          })
        }),
      },
      check: ({ results }) => expect(results.consumer).toEqual(records.map(record => [...record])),
    })
  })

  test('a slot of a number is used again', async () => {
    await explore({
      name: 'two numbers through one slot',
      memory: numbersAt(1, LAST),
      places,
      threads: {
        producer: numberProducer(producer => {
          for (const number of [0.5, -1 / 3]) {
            producer.waitWritable()
            producer.push(number)
          }
        }),
        consumer: numberConsumer(consumer => [0, 1].map(() => consumer.waitReadable() && consumer.pop())),
      },
      check: ({ results }) => expect(results.consumer).toEqual([0.5, -1 / 3]),
    })
  })

  test('a wake-up for nothing changes nothing', async () => {
    await explore({
      name: 'numbers, and spurious wake-ups of both sides',
      memory: numbersAt(1, BEFORE_2_31),
      places,
      spurious: 1,
      threads: {
        producer: numberProducer(producer => {
          producer.push(1)
          return producer.waitWritable()
        }),
        consumer: numberConsumer(consumer => [consumer.waitReadable(), consumer.pop()]),
      },
      check: ({ results }) => expect(results).toEqual({ producer: true, consumer: [true, 1] }),
    })
  })

  test('a cancellation ends a producer that waits', async () => {
    await explore({
      name: 'a cancellation while the producer waits',
      memory: slotsAt(1, 1, LAST),
      places,
      threads: {
        producer: slotProducer(producer =>
          outcome(() => {
            producer.push(record(1, 1))
            producer.waitWritable()
            return 'writable'
          }),
        ),
        consumer: slotConsumer(consumer => {
          consumer.waitReadable()
          consumer.cancel('enough')
          return consumer.pop()
        }),
      },
      check: ({ results }) => expect(results).toEqual({ producer: cancelled, consumer: null }),
    })
  })
})

describe('I3, I4, I15: however a drain meets pushes,', () => {
  test('records come once and in order, and those that it has not seen are still there', async () => {
    await explore({
      name: 'drain meets push',
      memory: slotsAt(2, 2, LAST),
      places,
      threads: {
        producer: slotProducer(producer => [1, 2, 3].map(number => producer.push(record(number)))),
        consumer: slotConsumer(consumer => {
          const drained: number[][] = []
          const counts = [0, 0].map(() => consumer.drain(record => drained.push([...record])))
          return { drained, counts, left: consumer.pop() }
        }),
      },
      check: ({ results }) => {
        const pushed = [1, 2, 3].filter((_, index) => (results.producer as boolean[])[index])
        const { drained, counts, left } = results.consumer as {
          drained: number[][]
          counts: [number, number]
          left: Uint8Array | undefined
        }
        expect(counts[0] + counts[1]).toBe(drained.length)
        const got = left ? [...drained, [...left]] : drained
        expect(got).toEqual(pushed.slice(0, got.length).map(number => [...record(number)]))
        expect(pushed.slice(0, 2)).toEqual([1, 2])
      },
    })
  })

  test('numbers do too, up to the end', async () => {
    await explore({
      name: 'drain of numbers up to the end',
      memory: numbersAt(2, BEFORE_2_31),
      places,
      threads: {
        producer: numberProducer(producer => {
          producer.push(1)
          producer.end()
        }),
        consumer: numberConsumer(consumer => {
          const got: number[] = []
          for (;;) {
            consumer.waitReadable()
            if (consumer.drain(number => got.push(number)) === 0 && consumer.pop() === null) return got
          }
        }),
      },
      check: ({ results }) => expect(results.consumer).toEqual([1]),
    })
  })
})

describe('I7, I10, I11, I13, I14: however an event loop meets another thread,', () => {
  test('slots are written as they become free, and read as they are filled', async () => {
    await explore({
      name: 'waitWritableAsync and waitReadableAsync',
      memory: slotsAt(1, 1, LAST),
      places,
      threads: {
        producer: slotProducer(async producer => {
          for (const number of [1, 2]) {
            await producer.waitWritableAsync()
            producer.push(record(number, 1))
          }
        }),
        consumer: slotConsumer(async consumer => {
          const got: unknown[] = []
          for (let count = 0; count < 2; count++) {
            await consumer.waitReadableAsync()
            got.push(consumer.pop()?.[0])
          }
          return got
        }),
      },
      check: ({ results, waiting }) => {
        expect(results.consumer).toEqual([1, 2])
        expect(waiting).toBe(0)
      },
    })
  })

  test('a cancellation ends a producer that waits', async () => {
    await explore({
      name: 'a cancellation during waitWritableAsync',
      memory: numbersAt(1, LAST),
      places,
      threads: {
        producer: numberProducer(async producer => {
          const pushed = outcome(() => producer.push(1))
          return [pushed, await producer.waitWritableAsync().catch(saying)]
        }),
        consumer: numberConsumer(consumer => {
          consumer.cancel('enough')
          return consumer.pop()
        }),
      },
      check: ({ results, waiting }) => {
        const [pushed, waited] = results.producer as unknown[]
        expect([true, cancelled]).toContainEqual(pushed)
        expect(waited).toEqual(cancelled)
        expect({ waiting, popped: results.consumer }).toEqual({ waiting: 0, popped: null })
      },
    })
  })
})
