import { describe, expect, test, vi } from 'vitest'
import { bytesCodec, type Codec } from './codec.js'
import { failBuffer, resetBuffer } from './failure.js'
import { BufferStatus, createSharedBuffer, type SharedBuffer } from './mailbox.js'
import { readFromBuffer, readFromBufferAsync, writeToBuffer, writeToBufferAsync } from './message.js'

const code = (code: string) => expect.objectContaining({ name: 'SharedBufferError', code })

describe('writing', () => {
  test('makes the message ready, reading makes it consumed', () => {
    const shared = createSharedBuffer(100)
    writeToBuffer(shared, { n: 1 })
    expect(shared.status[0]).toBe(BufferStatus.DATA_READY)
    expect(shared.dataLength[0]).toBe(7)
    expect(readFromBuffer(shared)).toEqual({ n: 1 })
    expect(shared.status[0]).toBe(BufferStatus.CONSUMED)
    writeToBuffer(shared, [2])
    expect(readFromBuffer(shared)).toEqual([2])
  })

  test('I2: an unread message is not overwritten', () => {
    const shared = createSharedBuffer(100)
    writeToBuffer(shared, 'first')
    const before = shared.buffer.slice(0)
    expect(() => writeToBuffer(shared, 'second')).toThrow(code('UNREAD_MESSAGE'))
    expect(Buffer.from(shared.buffer).equals(Buffer.from(before))).toBe(true)
    expect(readFromBuffer(shared)).toBe('first')
  })

  test('a payload fits to the last byte; one more is a RangeError that leaves the buffer as it was', () => {
    const shared = createSharedBuffer(5)
    writeToBuffer(shared, 'abc')
    expect(readFromBuffer(shared)).toBe('abc')
    const before = shared.buffer.slice(0)
    expect(() => writeToBuffer(shared, 'abcd')).toThrow(
      new RangeError('Cannot write 6 bytes: the mailbox holds 5'),
    )
    expect(Buffer.from(shared.buffer).equals(Buffer.from(before))).toBe(true)
  })

  test('I1: bytes and length are there before the status says so', () => {
    for (const publish of [
      (shared: SharedBuffer) => writeToBuffer(shared, 'message'),
      (shared: SharedBuffer) => failBuffer(shared, 'message'),
    ]) {
      const shared = createSharedBuffer(100)
      const seen: string[] = []
      const { store } = Atomics
      const look = ((words: Int32Array, index: number, value: number) => {
        const { dataLength, data } = shared
        if (words === shared.status) seen.push(Buffer.from(data.slice(0, dataLength[0])).toString())
        return store(words, index, value)
      }) as typeof store
      const spy = vi.spyOn(Atomics, 'store').mockImplementation(look)
      publish(shared)
      spy.mockRestore()
      expect(seen).toEqual([expect.stringContaining('"message"')])
    }
  })

  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
    ['a BigInt within', { n: [1n] }],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a cycle', cycle],
  ])('%s is a TypeError, and nothing is written', (_name, payload) => {
    const shared = createSharedBuffer(100)
    expect(() => writeToBuffer(shared, payload)).toThrow(TypeError)
    expect(() => writeToBuffer(shared, payload)).toThrow(/payload must be a value that JSON can hold/)
    expect(Buffer.from(shared.buffer).every(byte => byte === 0)).toBe(true)
  })

  test.each<[unknown]>([[null], [false], [0], [''], ['\ud800 lone'], ['ü€😀'], [[]], [{ a: { b: [null] } }]])(
    '%j comes back equal',
    payload => {
      const shared = createSharedBuffer(100)
      writeToBuffer(shared, payload)
      expect(readFromBuffer(shared)).toEqual(payload)
    },
  )

  test('a payload nested too deep is a RangeError', () => {
    let nested: unknown = 0
    for (let depth = 0; depth < 200_000; depth++) nested = [nested]
    expect(() => writeToBuffer(createSharedBuffer(100), nested)).toThrow(RangeError)
  })

  test('in a failed mailbox is an error until it is reset', () => {
    const shared = createSharedBuffer(500)
    failBuffer(shared, new Error('no'))
    expect(() => writeToBuffer(shared, 1)).toThrow(code('PEER_FAILED'))
    resetBuffer(shared)
    writeToBuffer(shared, 1)
    expect(readFromBuffer(shared)).toBe(1)
  })

  test('under a status that is none is an error, and nothing is written', () => {
    const shared = createSharedBuffer(100)
    shared.status[0] = 77
    expect(() => writeToBuffer(shared, 1)).toThrow(code('CORRUPT_STATUS'))
    expect([shared.status[0], shared.dataLength[0], shared.data[0]]).toEqual([77, 0, 0])
  })
})

describe('reading', () => {
  test('times out with an error that says so', () => {
    const shared = createSharedBuffer(100)
    expect(() => readFromBuffer(shared, 5)).toThrow('Cannot read: no message within 5 ms, the status is IDLE')
    expect(() => readFromBuffer(shared, 0)).toThrow(code('TIMEOUT'))
  })

  test('waits 5000 ms unless told otherwise', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const read = readFromBufferAsync(createSharedBuffer(100))
      const outcome = expect(read).rejects.toThrow('no message within 5000 ms')
      await vi.advanceTimersByTimeAsync(4999)
      expect(vi.getTimerCount()).toBe(1)
      await vi.advanceTimersByTimeAsync(2)
      expect(vi.getTimerCount()).toBe(0)
      await outcome
    } finally {
      vi.useRealTimers()
    }
    const clock = vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValueOnce(5000)
    const sleep = vi.spyOn(Atomics, 'wait').mockReturnValueOnce('timed-out')
    expect(() => readFromBuffer(createSharedBuffer(100))).toThrow('no message within 5000 ms')
    expect(sleep.mock.calls.map(call => call[3])).toEqual([5000])
    sleep.mockRestore()
    clock.mockRestore()
  })

  test.each([-1, 101, 2 ** 31 - 1, -(2 ** 31)])('I4: a length of %d in 100 bytes is an error', length => {
    const shared = createSharedBuffer(100)
    writeToBuffer(shared, 'x')
    shared.dataLength[0] = length
    expect(() => readFromBuffer(shared, 0)).toThrow(code('CORRUPT_LENGTH'))
    writeToBuffer(shared, 'the next one is fine')
    expect(readFromBuffer(shared, 0)).toBe('the next one is fine')
  })

  test('a status that is none is an error', async () => {
    const shared = createSharedBuffer(100)
    shared.status[0] = -1
    expect(() => readFromBuffer(shared)).toThrow(code('CORRUPT_STATUS'))
    await expect(readFromBufferAsync(shared)).rejects.toThrow(code('CORRUPT_STATUS'))
  })

  test.each<[string, string]>([
    ['bad JSON', '{"a":'],
    ['no JSON at all', ''],
    ['bytes that are no UTF-8', '"\xff"'],
  ])('%s is an error with its cause, and the next message is fine', (_name, text) => {
    const shared = createSharedBuffer(100)
    writeToBuffer(shared, Buffer.from(text, 'latin1'), { codec: bytesCodec })
    expect(() => readFromBuffer(shared)).toThrow(
      expect.objectContaining({ code: 'BAD_PAYLOAD', cause: expect.any(Error) }),
    )
    writeToBuffer(shared, 2)
    expect(readFromBuffer(shared)).toBe(2)
  })

  test.each([-1, Number.NaN, Number.NEGATIVE_INFINITY])(
    'a timeout of %d is a RangeError',
    async timeoutMs => {
      const shared = createSharedBuffer(1)
      expect(() => readFromBuffer(shared, timeoutMs)).toThrow(RangeError)
      await expect(readFromBufferAsync(shared, { timeoutMs })).rejects.toThrow(RangeError)
      await expect(writeToBufferAsync(shared, 1, { timeoutMs })).rejects.toThrow(RangeError)
    },
  )

  test.each(['5', null, {}, 5n])('a timeout of %s is a TypeError', async timeoutMs => {
    const shared = createSharedBuffer(1)
    expect(() => readFromBuffer(shared, timeoutMs as number)).toThrow(TypeError)
    await expect(readFromBufferAsync(shared, { timeoutMs: timeoutMs as number })).rejects.toThrow(TypeError)
  })

  test('a signal that is none is a TypeError', async () => {
    const signal = { aborted: false } as AbortSignal
    await expect(readFromBufferAsync(createSharedBuffer(1), { signal })).rejects.toThrow(TypeError)
  })

  test('I3: what was read stays as it is when the writer goes on', () => {
    const shared = createSharedBuffer(3)
    writeToBuffer(shared, Uint8Array.of(1, 2, 3), { codec: bytesCodec })
    const read = readFromBuffer(shared, 0, { codec: bytesCodec })
    writeToBuffer(shared, Uint8Array.of(9, 9, 9), { codec: bytesCodec })
    expect(read).toEqual(Uint8Array.of(1, 2, 3))
    expect(read.buffer).toBeInstanceOf(ArrayBuffer)
  })

  test('I3: a message that is withdrawn while its bytes are copied is not returned', async () => {
    for (const read of [readFromBuffer, readFromBufferAsync]) {
      const shared = createSharedBuffer(500)
      writeToBuffer(shared, 'withdrawn')
      // The copy begins with a subarray.
      shared.data.subarray = (start, end) => {
        const copied = Uint8Array.prototype.slice.call(shared.data, start, end)
        Reflect.deleteProperty(shared.data, 'subarray')
        failBuffer(shared, new Error('after all not'))
        return copied as unknown as Uint8Array<SharedArrayBuffer>
      }
      await expect((async () => read(shared))()).rejects.toThrow('after all not')
    }
  })

  test('I3: a message that is being replaced by a failure can no longer be taken', () => {
    const shared = createSharedBuffer(500)
    writeToBuffer(shared, 'withdrawn')
    const { set } = shared.data
    shared.data.set = bytes => {
      set.call(shared.data, bytes)
      expect(() => readFromBuffer(shared, 0)).toThrow(code('TIMEOUT'))
    }
    failBuffer(shared, new Error('after all not'))
    expect(() => readFromBuffer(shared, 0)).toThrow('after all not')
  })

  test('I3: a mailbox whose payload is a Buffer is copied from as well', () => {
    const { buffer, status, dataLength } = createSharedBuffer(3)
    const shared = { buffer, status, dataLength, data: Buffer.from(buffer, 8) }
    writeToBuffer(shared, Uint8Array.of(1, 2, 3), { codec: bytesCodec })
    const read = readFromBuffer(shared, 0, { codec: bytesCodec })
    shared.data.fill(9)
    expect([...read]).toEqual([1, 2, 3])
  })

  test('I3: a decoder that keeps its bytes, or writes to them, does not touch the mailbox', () => {
    const shared = createSharedBuffer(3)
    const kept: Uint8Array[] = []
    const codec: Codec<number> = {
      encode: n => Uint8Array.of(n, n, n),
      decode: bytes => kept.push(bytes.fill(0)),
    }
    writeToBuffer(shared, 7, { codec })
    readFromBuffer(shared, 0, { codec })
    expect([...shared.data]).toEqual([7, 7, 7])
    expect(kept).toHaveLength(1)
  })

  test('where blocking is forbidden, as on the main thread of a browser, it is a clear error', () => {
    const shared = createSharedBuffer(10)
    const refusal = new TypeError('Atomics.wait cannot be called in this context')
    const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      throw refusal
    })
    try {
      expect(() => readFromBuffer(shared, 10)).toThrow(
        expect.objectContaining({ code: 'BLOCKING_FORBIDDEN', cause: refusal }),
      )
      writeToBuffer(shared, 'here')
      expect(readFromBuffer(shared, 10)).toBe('here')
    } finally {
      wait.mockRestore()
    }
  })
})

describe('the async pair', () => {
  test('a read resolves with a message that comes later', async () => {
    const shared = createSharedBuffer(100)
    const read = readFromBufferAsync(shared)
    writeToBuffer(shared, 'later')
    expect(await read).toBe('later')
  })

  test('a write waits for the reader, and writes what the payload was when it was called', async () => {
    const shared = createSharedBuffer(100)
    writeToBuffer(shared, 1)
    // A Buffer, whose slice() would not copy.
    const bytes = Buffer.from([2])
    const write = writeToBufferAsync(shared, bytes, { codec: bytesCodec })
    bytes[0] = 99
    expect(readFromBuffer(shared)).toBe(1)
    await write
    expect(readFromBuffer(shared, 0, { codec: bytesCodec })).toEqual(Uint8Array.of(2))
  })

  test('writes and reads are served in their order', async () => {
    const shared = createSharedBuffer(100)
    const numbers = Array.from({ length: 50 }, (_, index) => index)
    const writes = numbers.map(number => writeToBufferAsync(shared, number))
    const reads = numbers.map(() => readFromBufferAsync(shared))
    expect(await Promise.all(reads)).toEqual(numbers)
    await Promise.all(writes)
  })

  test('a write does not overtake one that waits while its turn has come unnoticed', async () => {
    const shared = createSharedBuffer(100)
    writeToBuffer(shared, 'first')
    const second = writeToBufferAsync(shared, 'second')
    readFromBuffer(shared)
    const third = writeToBufferAsync(shared, 'third')
    expect(readFromBuffer(shared)).toBe('second')
    await Promise.all([second, third])
    expect(readFromBuffer(shared)).toBe('third')
  })

  test('they time out', async () => {
    const shared = createSharedBuffer(100)
    await expect(readFromBufferAsync(shared, { timeoutMs: 5 })).rejects.toThrow(code('TIMEOUT'))
    await expect(readFromBufferAsync(shared, { timeoutMs: 0 })).rejects.toThrow(code('TIMEOUT'))
    writeToBuffer(shared, 'unread')
    await expect(writeToBufferAsync(shared, 1, { timeoutMs: 5 })).rejects.toThrow(
      'Cannot write: the last message was not read within 5 ms',
    )
    await expect(writeToBufferAsync(shared, 1, { timeoutMs: 0 })).rejects.toThrow(code('TIMEOUT'))
    expect(readFromBuffer(shared)).toBe('unread')
  })

  test('an abort rejects with its reason, before and during the wait, and takes no message', async () => {
    const shared = createSharedBuffer(100)
    const reason = new Error('enough')
    await expect(readFromBufferAsync(shared, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const read = readFromBufferAsync(shared, { signal: controller.signal })
    controller.abort(reason)
    writeToBuffer(shared, 'kept')
    await expect(read).rejects.toBe(reason)
    const write = writeToBufferAsync(shared, 1, { signal: AbortSignal.abort(reason) })
    await expect(write).rejects.toBe(reason)
    expect(readFromBuffer(shared)).toBe('kept')
  })

  test('a value that JSON cannot hold, or that is too large, rejects at once', async () => {
    const shared = createSharedBuffer(3)
    writeToBuffer(shared, 1)
    await expect(writeToBufferAsync(shared, 1n)).rejects.toThrow(TypeError)
    await expect(writeToBufferAsync(shared, 'too long')).rejects.toThrow(RangeError)
    expect(readFromBuffer(shared)).toBe(1)
  })

  test('a failure reaches everybody who waits, a reset lets writers go on', async () => {
    const shared = createSharedBuffer(500)
    const reads = [readFromBufferAsync(shared), readFromBufferAsync(shared)]
    failBuffer(shared, new Error('gone'))
    for (const read of reads) await expect(read).rejects.toThrow(code('PEER_FAILED'))
    resetBuffer(shared)
    writeToBuffer(shared, 'unread')
    const write = writeToBufferAsync(shared, 'next')
    resetBuffer(shared)
    await write
    expect(readFromBuffer(shared)).toBe('next')
  })
})

describe('codecs', () => {
  test('a codec of the user’s own encodes and decodes', async () => {
    const dates: Codec<Date> = {
      encode: date => Buffer.from(date.toISOString()),
      decode: bytes => new Date(Buffer.from(bytes).toString()),
    }
    const shared = createSharedBuffer(30)
    writeToBuffer(shared, new Date(0), { codec: dates })
    const read: Date = readFromBuffer(shared, 0, { codec: dates })
    expect(read).toEqual(new Date(0))
    await writeToBufferAsync(shared, new Date(1), { codec: dates })
    expect(await readFromBufferAsync(shared, { codec: dates })).toEqual(new Date(1))
  })

  test('an empty message of bytes is a message', () => {
    const shared = createSharedBuffer(1)
    writeToBuffer(shared, new Uint8Array(0), { codec: bytesCodec })
    expect(readFromBuffer(shared, 0, { codec: bytesCodec })).toEqual(new Uint8Array(0))
  })

  test.each([['text'], [new ArrayBuffer(1)], [[1]], [null], [new Uint16Array(1)]])(
    'raw bytes are a Uint8Array and nothing else: %s',
    payload => {
      const write = () => writeToBuffer(createSharedBuffer(9), payload as never, { codec: bytesCodec })
      expect(write).toThrow(/payload must be a Uint8Array/)
    },
  )

  test('a codec that encodes to anything but bytes, or throws, writes nothing', () => {
    const shared = createSharedBuffer(9)
    const encodeTo = (result: unknown) => ({ encode: () => result as Uint8Array, decode: () => 0 })
    expect(() => writeToBuffer(shared, 1, { codec: encodeTo('bytes') })).toThrow(/codec.encode must return/)
    expect(() => writeToBuffer(shared, 1, { codec: encodeTo(Promise.resolve()) })).toThrow(TypeError)
    const broken: Codec = {
      encode() {
        throw new SyntaxError('mine')
      },
      decode: () => 0,
    }
    expect(() => writeToBuffer(shared, 1, { codec: broken })).toThrow(new SyntaxError('mine'))
    expect(shared.status[0]).toBe(BufferStatus.IDLE)
  })

  test('what is no codec is a TypeError', async () => {
    const codec = { encode: () => new Uint8Array(0) } as unknown as Codec
    const shared = createSharedBuffer(9)
    expect(() => writeToBuffer(shared, 1, { codec })).toThrow(/codec must have encode and decode/)
    expect(() => readFromBuffer(shared, 0, { codec })).toThrow(TypeError)
    await expect(readFromBufferAsync(shared, { codec })).rejects.toThrow(TypeError)
  })
})
