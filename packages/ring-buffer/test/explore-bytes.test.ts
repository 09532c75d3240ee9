import { explore } from '@scratchyjs/tooling/explore'
import { describe, expect, test } from 'vitest'
import { bytesAt, EDGES, inFull, LONG, ringPlaces as places, ring, upTo } from './explored.js'

const [BEFORE_2_31 = 0, LAST = 0, LAST_BUT_ONE = 0] = EDGES

describe('I1, I3, I4, I6, I7: however two threads meet, both of which wait,', () => {
  test.each<{ capacity: number; from: number; filled: number[]; end: number; preemptions?: number }>([
    { capacity: 1, from: 0, filled: [], end: 2 },
    { capacity: 1, from: LAST, filled: [1], end: 3 },
    { capacity: 2, from: BEFORE_2_31, filled: [1], end: 3 },
    { capacity: 3, from: LAST_BUT_ONE, filled: [1, 2], end: 4 },
    { capacity: 4, from: LAST, filled: [1, 2, 3, 4], end: 5 },
    ...inFull(
      { capacity: 1, from: LAST, filled: [], end: 4, preemptions: 3 },
      { capacity: 3, from: LAST_BUT_ONE, filled: [1, 2, 3], end: 7, preemptions: 3 },
    ),
  ])(
    '$end bytes come through a ring of $capacity from $from with $filled',
    async given => {
      const { capacity, from, filled, end } = given
      await explore({
        name: `bytes up to ${end} through ${capacity} from ${from} with ${filled.length}`,
        memory: bytesAt(capacity, from, filled),
        places,
        spurious: 1,
        ...upTo(given.preemptions),
        threads: {
          writer: ring(ring => {
            for (let byte = filled.length + 1; byte <= end; byte++) {
              ring.waitWritable()
              ring.write(Uint8Array.of(byte))
            }
          }),
          reader: ring(ring => {
            const got: number[] = []
            while (got.length < end) {
              ring.waitReadable()
              got.push(...(ring.read(2) ?? []))
            }
            return got
          }),
        },
        check: ({ results }) => expect(results.reader).toEqual([1, 2, 3, 4, 5, 6, 7].slice(0, end)),
      })
    },
    LONG,
  )

  test.each([
    [3, LAST_BUT_ONE],
    [2, LAST],
  ])('two at once come through a ring of %i from %i', async (capacity, from) => {
    await explore({
      name: `two at once through ${capacity} from ${from}`,
      memory: bytesAt(capacity, from),
      places,
      spurious: 1,
      threads: {
        writer: ring(ring => {
          for (const chunk of [
            [1, 2],
            [3, 4],
          ]) {
            ring.waitWritable(2)
            if (!ring.write(Uint8Array.from(chunk))) throw new Error('no room after all')
          }
        }),
        reader: ring(ring => {
          const target = new Uint8Array(2)
          const got: number[] = []
          while (got.length < 4) {
            ring.waitReadable(2)
            got.push(...target.subarray(0, ring.readInto(target)))
          }
          return got
        }),
      },
      check: ({ results }) => expect(results.reader).toEqual([1, 2, 3, 4]),
    })
  })

  test('what is committed of a reservation is what is peeked, and consumed', async () => {
    await explore({
      name: 'reserve and commit, peek and consume',
      memory: bytesAt(3, LAST_BUT_ONE),
      places,
      threads: {
        writer: ring(ring => {
          for (const [k, ...bytes] of [
            [0, 9, 9],
            [1, 1, 8],
            [2, 2, 3],
          ]) {
            ring.waitWritable(2)
            const spans = ring.reserve(2)
            for (const span of spans) for (let at = 0; at < span.length; at++) span[at] = bytes.shift() ?? 0
            ring.commit(k ?? 0)
          }
        }),
        reader: ring(ring => {
          const got: number[] = []
          while (got.length < 3) {
            ring.waitReadable()
            const peeked = ring.peek(2).flatMap(span => [...span])
            got.push(peeked[0] ?? 0)
            ring.consume(1)
          }
          return got
        }),
      },
      check: ({ results }) => expect(results.reader).toEqual([1, 2, 3]),
    })
  })
})

test('I9: a third thread only sees counts that the ring had', async () => {
  await explore({
    name: 'snapshots',
    memory: bytesAt(2, LAST),
    places,
    threads: {
      writer: ring(ring => ring.writev([Uint8Array.of(1), Uint8Array.of(2)]) && ring.write(Uint8Array.of(3))),
      reader: ring(ring => [...(ring.read(1) ?? [])]),
      other: ring(ring => [ring.availableToRead, ring.availableToWrite]),
    },
    check: ({ results }) => {
      const [toRead, toWrite] = results.other as number[]
      expect([0, 1, 2]).toContain(toRead)
      expect([0, 1, 2]).toContain(toWrite)
      expect([[], [1]]).toContainEqual(results.reader)
    },
  })
})

test('I7: a wait that time ends answers what is so', async () => {
  await explore({
    name: 'time-out of a wait',
    memory: bytesAt(1, LAST),
    places,
    timeouts: 1,
    threads: {
      writer: ring(ring => ring.write(Uint8Array.of(1))),
      reader: ring(ring => [ring.waitReadable(1, { timeoutMs: 5 }), [...(ring.read(1) ?? [])]]),
    },
    check: ({ results }) => {
      const [readable, got] = results.reader as [boolean, number[]]
      if (readable) expect(got).toEqual([1])
    },
  })
})

test('I6: a foreign wait on a cursor wakes', async () => {
  await explore({
    name: 'a foreign wait',
    memory: bytesAt(1, LAST),
    places,
    spurious: 1,
    threads: {
      writer: ring(ring => ring.write(Uint8Array.of(1))),
      reader: memory => {
        const words = new Int32Array(memory, 0, 2)
        return () => {
          for (let seen = Atomics.load(words, 0); seen === -1; seen = Atomics.load(words, 0))
            Atomics.wait(words, 0, seen)
        }
      },
    },
  })
})
