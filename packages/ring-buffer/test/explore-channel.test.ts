import { explore } from '@scratchyjs/tooling/explore'
import { describe, expect, test } from 'vitest'
import {
  channelAt,
  EDGES,
  inFull,
  LONG,
  paddedPlaces as places,
  reader,
  saying,
  untilEnd,
  upTo,
  writer,
} from './explored.js'

const [BEFORE_2_31 = 0, LAST = 0, LAST_BUT_ONE = 0] = EDGES
const error = Object.assign(new RangeError('too far'), { code: 'E_FAR' })

describe('I13, I14, I18: however two threads meet, both of which wait,', () => {
  test.each<{ capacity: number; from: number; bytes: number; preemptions?: number }>([
    { capacity: 1, from: LAST, bytes: 2 },
    { capacity: 2, from: BEFORE_2_31, bytes: 3 },
    ...inFull(
      { capacity: 3, from: LAST_BUT_ONE, bytes: 4 },
      { capacity: 2, from: LAST, bytes: 7, preemptions: 3 },
    ),
  ])(
    '$bytes bytes at once through a channel of $capacity from $from come in pieces',
    async given => {
      const { capacity, from, bytes } = given
      const chunk = Uint8Array.from({ length: bytes }, (_, index) => index + 1)
      await explore({
        name: `${bytes} bytes at once through a channel of ${capacity} from ${from}`,
        memory: channelAt(capacity, from),
        places,
        ...upTo(given.preemptions),
        threads: {
          writer: writer(writer => writer.write(chunk)),
          reader: reader(reader => {
            const got: number[] = []
            while (got.length < bytes) got.push(...(reader.read(2) ?? []))
            return got
          }),
        },
        check: ({ results }) => expect(results).toEqual({ writer: bytes, reader: [...chunk] }),
      })
    },
    LONG,
  )

  test('the end comes after the bytes before it', async () => {
    await explore({
      name: 'bytes and the end',
      memory: channelAt(2, BEFORE_2_31),
      places,
      threads: {
        writer: writer(writer => {
          writer.write(Uint8Array.of(1, 2))
          writer.end()
        }),
        reader: reader(reader => untilEnd(() => reader.read(2)).flat()),
      },
      check: ({ results }) => expect(results.reader).toEqual([1, 2]),
    })
  })

  test('the whole error comes after the bytes before it', async () => {
    await explore({
      name: 'bytes and a failure',
      memory: channelAt(1, LAST),
      places,
      threads: {
        writer: writer(writer => {
          writer.write(Uint8Array.of(1))
          writer.fail(error)
        }),
        reader: reader(reader => {
          const target = new Uint8Array(1)
          const first = reader.readInto(target) ?? 0
          return [...target.subarray(0, first), ...untilEnd(() => reader.read(2)).flat()]
        }),
      },
      check: ({ results }) => expect(results.reader).toEqual([1, 'RangeError', 'too far', 'E_FAR']),
    })
  })

  test('a cancellation wakes the writer out of the middle of a chunk', async () => {
    await explore({
      name: 'a cancellation in the middle of a chunk',
      memory: channelAt(1, LAST),
      places,
      threads: {
        writer: writer(writer => {
          try {
            return writer.write(Uint8Array.of(1, 2, 3))
          } catch (thrown) {
            return saying(thrown)
          }
        }),
        reader: reader(reader => {
          const first = reader.read(1)
          reader.cancel(error)
          return [first?.[0], reader.read()]
        }),
      },
      check: ({ results }) => {
        expect(results.writer).toEqual(['RingBufferError', 'CANCELLED', ['RangeError', 'too far', 'E_FAR']])
        expect(results.reader).toEqual([1, null])
      },
    })
  })
})
