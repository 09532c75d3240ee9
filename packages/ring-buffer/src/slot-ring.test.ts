import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { message, notifies, numbers, slots, startAt, wordsOf } from '../test/padded.js'
import {
  createFloat64Ring,
  createMessageRing,
  createSlotRing,
  Float64Consumer,
  Float64Producer,
  SlotConsumer,
  SlotProducer,
} from './index.js'

const withCode = (code: string) => expect.objectContaining({ name: 'RingBufferError', code })

describe('a slot ring is made', () => {
  test.each([0, -1, 1.5, Number.NaN, '8', undefined, 2 ** 31 + 1] as number[])(
    'neither with %s slots nor with slots of as many bytes',
    count => {
      expect(() => createSlotRing({ slots: count, slotSize: 8 })).toThrow(RangeError)
      expect(() => createSlotRing({ slots: 8, slotSize: count })).toThrow(RangeError)
      expect(() => createFloat64Ring({ slots: count })).toThrow(RangeError)
    },
  )

  test('not of more than 2^31 bytes', () => {
    expect(() => createSlotRing({ slots: 2 ** 16, slotSize: 2 ** 16 })).toThrow(/4294967296 bytes/)
    expect(() => createFloat64Ring({ slots: 2 ** 28 + 1 })).toThrow(RangeError)
  })

  test('not on memory of another kind or size', () => {
    const { buffer } = createSlotRing({ slots: 3, slotSize: 8 })
    const ofNumbers = createFloat64Ring({ slots: 3 }).buffer
    for (const other of [ofNumbers, createMessageRing({ capacity: 24 }).buffer, new SharedArrayBuffer(8)]) {
      expect(() => new SlotProducer(other)).toThrow(TypeError)
      expect(() => new SlotConsumer(other)).toThrow(TypeError)
    }
    expect(() => new Float64Producer(buffer)).toThrow(TypeError)
    expect(() => new Float64Consumer(buffer)).toThrow(TypeError)
    for (const [slotCount, slotSize] of [
      [4, 8],
      [0, 8],
      [-1, 8],
      [3, 0],
    ] as const) {
      wordsOf(buffer).set([slotCount, slotSize], 3)
      expect(() => new SlotConsumer(buffer)).toThrow(withCode('CORRUPT_HEADER'))
    }
    wordsOf(ofNumbers).set([6, 4], 3)
    expect(() => new Float64Producer(ofNumbers)).toThrow(withCode('CORRUPT_HEADER'))
  })
})

test('I1, I15: records come out once, in order and as they went in, for every number of slots and around every wrap', () => {
  const step = fc.constantFrom('push', 'pop', 'pop into', 'drain')
  fc.assert(
    fc.property(
      fc.constantFrom(1, 3, 7, 100),
      fc.constantFrom(1, 5, 8, 40),
      fc.constantFrom(0, 2 ** 31, 2 ** 32).chain(near => fc.nat(120).map(back => Math.max(0, near - back))),
      fc.array(step, { maxLength: 150 }),
      (count, slotSize, from, steps) => {
        const { producer, consumer } = slots(count, slotSize, { from: from === 2 ** 32 ? 0 : from })
        const model: Uint8Array[] = []
        const into = new Uint8Array(slotSize + 1)
        let seed = 0
        for (const does of steps) {
          if (does === 'push') {
            const record = message(slotSize, seed++)
            expect(producer.push(record)).toBe(model.length < count)
            if (model.length < count) model.push(record)
          } else if (does === 'pop') expect(consumer.pop()).toEqual(model.shift())
          else if (does === 'pop into') {
            const expected = model.shift()
            expect(consumer.pop(into)?.subarray(0, slotSize)).toEqual(expected)
          } else {
            const got: Uint8Array[] = []
            expect(consumer.drain(view => got.push(view.slice()))).toBe(got.length)
            expect(got.map(one => [...one])).toEqual(model.splice(0).map(one => [...one]))
          }
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('numbers come out as they went in, whatever they are', () => {
  const { producer, consumer } = numbers(4, { from: 2 ** 32 - 2 })
  const values = [0.1, -0, Number.NaN, Number.NEGATIVE_INFINITY]
  for (const value of values) expect(producer.push(value)).toBe(true)
  expect(producer.push(5)).toBe(false)
  expect(consumer.pop()).toBe(0.1)
  expect(producer.push(Number.MIN_VALUE)).toBe(true)
  const got: number[] = []
  expect(consumer.drain(value => got.push(value))).toBe(4)
  expect(got).toEqual([...values.slice(1), Number.MIN_VALUE])
  expect(consumer.pop()).toBe(undefined)
  for (const value of ['1', 1n, undefined] as never[]) expect(() => producer.push(value)).toThrow(TypeError)
})

test('a record of another size, or a target too small, is a mistake, and nothing is lost', () => {
  const { producer, consumer } = slots(2, 4)
  expect([producer.slots, producer.slotSize, consumer.slots, consumer.slotSize]).toEqual([2, 4, 2, 4])
  for (const length of [0, 3, 5]) {
    expect(() => producer.push(message(length))).toThrow(`Cannot push ${length} bytes: each record has 4`)
  }
  expect(() => producer.push('four' as never)).toThrow(TypeError)
  producer.push(message(4))
  expect(() => consumer.pop(new Uint8Array(3))).toThrow('Cannot pop 4 bytes: into holds 3')
  expect(() => consumer.pop([1, 2, 3, 4] as never)).toThrow(TypeError)
  const into = Buffer.alloc(6)
  expect(consumer.pop(into)).toBe(into)
  expect([...into]).toEqual([...message(4), 0, 0])
})

test('one target used again and again gets each record, also when it is another view of the same memory', () => {
  const { producer, consumer } = slots(4, 64)
  const memory = new Uint8Array(128)
  const [first, second] = [memory.subarray(0, 64), memory.subarray(64)]
  for (const [seed, target] of [first, first, first, second, first, second, second].entries()) {
    producer.push(message(64, seed))
    expect(consumer.pop(target)).toEqual(message(64, seed))
  }
  const growing = new Uint8Array(new ArrayBuffer(64, { maxByteLength: 128 }))
  for (let seed = 0; seed < 3; seed++) {
    producer.push(message(64, seed))
    expect(consumer.pop(growing)?.subarray(0, 64)).toEqual(message(64, seed))
    growing.buffer.resize(128 - seed)
  }
})

describe('drain', () => {
  test('gives the slots back at once, and only afterwards, and refuses to pop from within', () => {
    const { producer, consumer } = slots(2, 1)
    producer.push(message(1))
    producer.push(message(1))
    expect(
      consumer.drain(() => {
        expect(producer.push(message(1))).toBe(false)
        expect(() => consumer.pop()).toThrow(TypeError)
        expect(() => consumer.drain(() => {})).toThrow(TypeError)
      }),
    ).toBe(2)
    expect(producer.push(message(1))).toBe(true)
    expect(() => consumer.drain(undefined as never)).toThrow(TypeError)
  })

  test('goes on behind a value that fn threw on', () => {
    const { producer, consumer } = numbers(4)
    for (const value of [1, 2, 3]) producer.push(value)
    expect(() =>
      consumer.drain(value => {
        if (value === 2) throw new Error('of fn')
      }),
    ).toThrow('of fn')
    expect(consumer.pop()).toBe(3)
  })
})

describe('I13: waiting', () => {
  test('ends with what it waits for, and nobody is notified otherwise', async () => {
    const { producer, consumer } = numbers(1)
    expect(consumer.waitReadable({ timeoutMs: 1 })).toBe(false)
    const readable = consumer.waitReadableAsync()
    expect(await notifies(() => producer.push(1))).toBe(1)
    expect(await readable).toBe(true)
    expect([consumer.waitReadable(), producer.waitWritable({ timeoutMs: 1 })]).toEqual([true, false])
    const writable = [producer.waitWritableAsync(), producer.waitWritableAsync({ timeoutMs: 5000 })]
    expect(() => producer.end()).toThrow('2 calls still wait')
    expect(consumer.pop()).toBe(1)
    expect(await Promise.all(writable)).toEqual([true, true])
    const made = await notifies(() => {
      for (let i = 0; i < 50; i++) {
        producer.push(i)
        consumer.pop()
        producer.push(i)
        consumer.drain(() => {})
      }
    })
    expect(made).toBe(0)
  })

  test('ends with an abort or its time', async () => {
    const { consumer } = slots(1, 1)
    const controller = new AbortController()
    const wait = consumer.waitReadableAsync({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(wait).rejects.toThrow('enough')
    expect(await consumer.waitReadableAsync({ timeoutMs: 1 })).toBe(false)
    expect(() => consumer.waitReadable({ timeoutMs: -1 })).toThrow(RangeError)
  })
})

describe('I14: after the values before it', () => {
  test('an end is null', async () => {
    const { producer, consumer } = numbers(2)
    const wait = consumer.waitReadableAsync()
    producer.end()
    expect([await wait, consumer.pop(), consumer.pop(), consumer.waitReadable()]).toEqual([
      true,
      null,
      null,
      true,
    ])
    expect(consumer.drain(() => expect.unreachable())).toBe(0)
    expect(() => producer.push(1)).toThrow(TypeError)
  })

  test("a failure is the producer's error", async () => {
    const { producer, consumer } = slots(2, 1)
    producer.push(message(1))
    producer.fail(Object.assign(new RangeError('lost'), { code: 'EBOOM' }))
    expect(consumer.pop()).toEqual(message(1))
    const lost = expect.objectContaining({ name: 'RangeError', message: 'lost', code: 'EBOOM' })
    expect(() => consumer.pop()).toThrow(lost)
    expect(() => consumer.drain(() => {})).toThrow(lost)
    await expect(consumer.waitReadableAsync()).rejects.toEqual(lost)
  })

  test('a cancellation fails the producer, and ends the consumer', async () => {
    const { producer, consumer } = slots(1, 1)
    producer.push(message(1))
    const wait = producer.waitWritableAsync()
    consumer.cancel(new Error('enough'))
    await expect(wait).rejects.toEqual(withCode('CANCELLED'))
    expect(() => producer.push(message(1))).toThrow(withCode('CANCELLED'))
    expect((await producer.cancelled).message).toBe('enough')
    expect(consumer.pop()).toBe(null)
  })

  test('I17: a peer that is gone fails both sides', async () => {
    const controller = new AbortController()
    const { producer, consumer } = numbers(1, { peer: controller.signal })
    producer.push(1)
    const wait = producer.waitWritableAsync()
    controller.abort()
    await expect(wait).rejects.toEqual(withCode('PEER_GONE'))
    expect(consumer.pop()).toBe(1)
    expect(() => consumer.pop()).toThrow(withCode('PEER_GONE'))
  })
})

test('I8: cursors that can not be are an error', () => {
  const { buffer } = createFloat64Ring({ slots: 4 })
  const [producer, consumer] = [new Float64Producer(buffer), new Float64Consumer(buffer)]
  startAt(buffer, 2)
  wordsOf(buffer)[32] = 9
  expect(() => consumer.pop()).toThrow(withCode('CORRUPT_HEADER'))
  expect(() => producer.push(1)).toThrow(withCode('CORRUPT_HEADER'))
})
