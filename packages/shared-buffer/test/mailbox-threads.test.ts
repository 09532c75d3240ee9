import { once } from 'node:events'
import { expect, test } from 'vitest'
import {
  bytesCodec,
  createSharedBuffer,
  readFromBuffer,
  readFromBufferAsync,
  writeToBuffer,
  writeToBufferAsync,
} from '../src/index.js'
import { messageFrom, startThread } from './start.js'
import { waitWhile } from './threads/wait-while.js'

/** Longer than a test may take: at its deadline a wait looks once more, which would hide a lost wake-up. */
const patient = { timeoutMs: 30_000 }

test.each([true, false])(
  'messages go to a thread and back, blocking there: %s, async here',
  async blocking => {
    const rounds = 1000
    const [requests, answers] = [createSharedBuffer(200), createSharedBuffer(200)]
    startThread('echo', { requests: requests.buffer, answers: answers.buffer, rounds, blocking })
    for (let round = 0; round < rounds; round++) {
      const message = { round, text: 'x'.repeat(round % 100) }
      await writeToBufferAsync(requests, message, patient)
      expect(await readFromBufferAsync(answers, patient)).toEqual({ echo: message })
    }
  },
)

test.each([true, false])(
  'messages go to a thread and back, blocking there: %s, blocking here',
  async blocking => {
    const rounds = 1000
    const [requests, answers] = [createSharedBuffer(200), createSharedBuffer(200)]
    const thread = startThread('echo', {
      requests: requests.buffer,
      answers: answers.buffer,
      rounds,
      blocking,
    })
    await messageFrom(thread)
    for (let round = 0; round < rounds; round++) {
      writeToBuffer(requests, round)
      expect(readFromBuffer(answers, patient.timeoutMs)).toEqual({ echo: round })
    }
  },
)

test.each(['blocking', 'async'])(
  'I1: every %s read gets the bytes of one message, each once, in order',
  async how => {
    const shared = createSharedBuffer(5000)
    const messages = 3000
    startThread('pattern-writer', { buffer: shared.buffer, messages })
    for (let n = 1; n <= messages; n++) {
      const bytes: Uint8Array =
        how === 'blocking'
          ? readFromBuffer(shared, patient.timeoutMs, { codec: bytesCodec })
          : await readFromBufferAsync(shared, { ...patient, codec: bytesCodec })
      const whole = bytes.byteLength === (n * 37) % 5000 && bytes.every(byte => byte === n % 256)
      if (!whole) expect.fail(`message ${n} has ${bytes.byteLength} bytes, the first is ${bytes[0]}`)
    }
  },
)

test('I3: a message that is withdrawn while it is read, is read whole or not at all', () => {
  const shared = createSharedBuffer(20_000)
  const words = new Int32Array(new SharedArrayBuffer(8))
  const rounds = 500
  startThread('withdrawing-writer', { buffer: shared.buffer, words: words.buffer, rounds })
  for (let round = 1; round <= rounds; round++) {
    waitWhile(words, 0, round - 1)
    const read = () => readFromBuffer<Uint8Array>(shared, 10_000, { codec: bytesCodec })
    const failure = `The other side failed: Error: round ${round}`
    try {
      const bytes = read()
      if (!bytes.every(byte => byte === round % 256)) expect.fail(`message ${round} is torn`)
      expect(read).toThrow(failure)
    } catch (error) {
      expect(error).toMatchObject({ code: 'PEER_FAILED', message: failure })
    }
    Atomics.store(words, 1, round)
    Atomics.notify(words, 1)
  }
})

test('an error crosses from thread to thread with name, message, code and stack', async () => {
  const shared = createSharedBuffer(2000)
  startThread('failing', shared.buffer)
  await expect(readFromBufferAsync(shared)).rejects.toMatchObject({
    code: 'PEER_FAILED',
    cause: {
      name: 'RangeError',
      message: 'the render failed',
      code: 'E_RENDER',
      stack: expect.stringContaining('failing.js'),
    },
  })
})

test('a message wakes code that waits on the status word without this package', async () => {
  const shared = createSharedBuffer(10)
  const woken = Atomics.waitAsync(shared.status, 0, 0)
  expect(woken.async).toBe(true)
  writeToBuffer(shared, 1)
  expect(await woken.value).toBe('ok')
})

test('a thread that is parked in a read can be terminated, and a signal tells its peer', async () => {
  const [requests, answers] = [createSharedBuffer(10), createSharedBuffer(10)]
  const thread = startThread('parked', requests.buffer)
  await messageFrom(thread)
  const gone = new AbortController()
  once(thread, 'exit').then(() => gone.abort(new Error('the thread is gone')))
  const read = readFromBufferAsync(answers, { timeoutMs: Number.POSITIVE_INFINITY, signal: gone.signal })
  thread.terminate()
  await expect(read).rejects.toThrow('the thread is gone')
})
