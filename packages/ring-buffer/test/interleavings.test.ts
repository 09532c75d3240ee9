import { describe, expect, test, vi } from 'vitest'
import { SharedRingBuffer } from '../src/index.js'
import { inEveryGap } from './gaps.js'

const CAPACITY = 8
const old = Uint8Array.of(1, 2, 3)
const fresh = Uint8Array.of(4, 5, 6, 7, 8)

interface Pair {
  producer: SharedRingBuffer
  consumer: SharedRingBuffer
  taken: number[]
}

/** Two objects over one ring that holds `old` and whose room, or whose bytes, go round its end. */
function pair(): Pair {
  const producer = new SharedRingBuffer(CAPACITY)
  const consumer = SharedRingBuffer.fromSharedBuffer(producer.getSharedBuffer())
  new Int32Array(producer.getSharedBuffer(), 0, 2).fill(6)
  producer.write(old)
  return { producer, consumer, taken: [] }
}

function take({ consumer, taken }: Pair): void {
  taken.push(...(consumer.read(CAPACITY) ?? []))
}

describe('I3: a read in any gap of the producer sees finished bytes only', () => {
  test.each<[string, (ring: SharedRingBuffer) => void]>([
    ['write', ring => expect(ring.write(fresh)).toBe(true)],
    ['writev', ring => expect(ring.writev([fresh.subarray(0, 2), fresh.subarray(2)])).toBe(true)],
    [
      'reserve and commit',
      ring => {
        let from = 0
        for (const span of ring.reserve(fresh.length)) {
          span.set(fresh.subarray(from, from + span.length))
          from += span.length
        }
        ring.commit(fresh.length)
      },
    ],
  ])('%s', (_, publish) => {
    const gaps = inEveryGap({
      begin: pair,
      act: ({ producer }) => publish(producer),
      intrude: take,
      check: (_, state) => {
        expect([[], [...old], [...old, ...fresh]]).toContainEqual(state.taken)
        take(state)
        expect(state.taken).toEqual([...old, ...fresh])
      },
    })
    expect(gaps).toBeGreaterThan(3)
  })
})

describe('I4: a write in any gap of the consumer overwrites nothing that is still being read', () => {
  const filled = [...old, ...fresh]
  const overwrite = Uint8Array.of(91, 92, 93, 94, 95, 96, 97, 98)
  test.each<[string, (ring: SharedRingBuffer) => number[]]>([
    ['read', ring => [...(ring.read(CAPACITY) ?? [])]],
    [
      'readInto',
      ring => {
        const target = new Uint8Array(CAPACITY)
        return [...target.subarray(0, ring.readInto(target))]
      },
    ],
    [
      'peek and consume',
      ring => {
        const bytes = ring.peek(CAPACITY).flatMap(span => [...span])
        ring.consume(bytes.length)
        return bytes
      },
    ],
  ])('%s', (_, receive) => {
    const gaps = inEveryGap({
      begin: () => {
        const state = pair()
        state.producer.write(fresh)
        return { ...state, written: false }
      },
      act: ({ consumer }) => receive(consumer),
      intrude: state => {
        state.written = state.producer.write(overwrite)
      },
      check: (received, { consumer, written }) => {
        expect(received).toEqual(filled)
        expect(consumer.read(CAPACITY)).toEqual(written ? overwrite : null)
      },
    })
    expect(gaps).toBeGreaterThan(4)
  })
})

describe('I7: bytes, or room, that come in any gap of a wait end it', () => {
  test('waitReadable', () => {
    inEveryGap({
      begin: () => new SharedRingBuffer(CAPACITY),
      act: ring => ring.waitReadable(fresh.length),
      intrude: ring => ring.write(fresh),
      check: answer => expect(answer).toBe(true),
    })
  })

  test('waitWritable', () => {
    inEveryGap({
      begin: pair,
      act: ({ producer }) => producer.waitWritable(CAPACITY),
      intrude: take,
      check: answer => expect(answer).toBe(true),
    })
  })

  test('waitReadableAsync', async () => {
    const waits: Promise<boolean>[] = []
    inEveryGap({
      begin: () => new SharedRingBuffer(CAPACITY),
      act: ring => ring.waitReadableAsync(fresh.length),
      intrude: ring => ring.write(fresh),
      check: (wait, ring) => {
        waits.push(wait)
        // The write has ended the Atomics.waitAsync, or there was none: one that is left would sleep on.
        expect(Atomics.notify(new Int32Array(ring.getSharedBuffer(), 0, 2), 0)).toBe(0)
      },
    })
    expect(await Promise.all(waits)).not.toContain(false)
  })
})

test('I6: whoever is woken finds the new cursor in its place', () => {
  const { producer, consumer } = pair()
  const words = new Int32Array(producer.getSharedBuffer(), 0, 2)
  let before = [...words]
  const wakes: number[] = []
  const notify = vi.spyOn(Atomics, 'notify').mockImplementation((_, word) => {
    wakes.push(word)
    expect(words[word]).not.toBe(before[word])
    before = [...words]
    return 0
  })
  producer.write(fresh)
  consumer.read(4)
  producer.reserve(2)
  producer.commit(1)
  consumer.peek(2)
  consumer.consume(2)
  producer.writev([old])
  consumer.readInto(new Uint8Array(1))
  notify.mockRestore()
  expect(wakes).toEqual([0, 1, 0, 1, 0, 1])
})

test('I9: a snapshot of a third thread, whatever both sides do meanwhile, is one that was true', () => {
  for (const [snapshot, legal] of [
    ['availableToRead', [3, 5]],
    ['availableToWrite', [5, 3]],
  ] as const) {
    const gaps = inEveryGap({
      begin: pair,
      act: ({ producer }) => SharedRingBuffer.fromSharedBuffer(producer.getSharedBuffer())[snapshot],
      intrude: state => {
        take(state)
        state.producer.write(fresh)
      },
      check: value => expect(legal).toContain(value),
    })
    expect(gaps).toBeGreaterThan(6)
  }
})
