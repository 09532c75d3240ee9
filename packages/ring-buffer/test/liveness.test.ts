import { describe, expect, test } from 'vitest'
import { run, script } from './run-script.js'

/** How often the worker is started; a soak gives 1,000. */
const STARTS = Number(process.env.LIVENESS_STARTS ?? 200)

/** What the scripts here begin with. */
const measuring = `
  import { getEventListeners } from 'node:events'
  async function measure() {
    for (let round = 0; round < 4; round++) {
      gc()
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    const { heapUsed, rss, arrayBuffers } = process.memoryUsage()
    return { heapUsed, rss, arrayBuffers }
  }
  /** Growth in MB between the end of a warm-up and the end. */
  async function growth(warmUp, rest) {
    await warmUp()
    const before = await measure()
    await rest()
    const after = await measure()
    const mb = name => (after[name] - before[name]) / 1e6
    return { heap: mb('heapUsed'), rss: mb('rss'), arrayBuffers: mb('arrayBuffers') }
  }
  const say = value => console.log(JSON.stringify(value))
  const resources = () => process.getActiveResourcesInfo().filter(name => !/Pipe|TTY/.test(name))
`

interface Measured {
  memory: { heap: number; rss: number; arrayBuffers: number }
  listeners: number
  /** What still keeps the loop busy. */
  left: string[]
}

async function measured(text: string, timeout = 60_000): Promise<Measured> {
  const { code, output } = await run(measuring + text, { flags: ['--expose-gc'], timeout })
  if (code !== 0) throw new Error(`exit code ${code}: ${output}`)
  return JSON.parse(output)
}

const flat = (heap: number) => ({
  heap: expect.toSatisfy(mb => mb < heap, `less than ${heap} MB`),
  rss: expect.toSatisfy(mb => mb < 64, 'less than 64 MB'),
  arrayBuffers: expect.toSatisfy(mb => mb < 1, 'less than 1 MB'),
})

test(
  `I11, I17: a worker started ${STARTS} times leaves no memory, listener or handle behind`,
  async () => {
    const worker = await script(`
    import { workerData } from 'node:worker_threads'
    const reader = new RingReader(workerData)
    while (reader.read()) continue
  `)
    const { memory, listeners, left } = await measured(
      `
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    const lasting = new AbortController().signal
    let listeners = 0
    async function one() {
      const { buffer } = createRingChannel({ capacity: 10_000 })
      const peer = new Worker(${JSON.stringify(worker)}, { workerData: buffer })
      const exit = once(peer, 'exit')
      const writer = new RingWriter(buffer, { peer })
      await writer.writeAsync(new Uint8Array(30_000), { signal: lasting })
      writer.end()
      await exit
      listeners = Math.max(listeners, peer.listenerCount('exit'), getEventListeners(lasting, 'abort').length - 1)
    }
    const times = n => async () => {
      const next = async () => { while (n-- > 0) await one() }
      await Promise.all([next(), next()])
    }
    const memory = await growth(times(${Math.ceil(STARTS / 5)}), times(${STARTS}))
    say({ memory, listeners, left: resources() })
  `,
      30_000 + STARTS * 200,
    )
    expect(memory).toEqual(flat(1 + STARTS / 500))
    expect([listeners, left]).toEqual([0, []])
  },
  60_000 + STARTS * 200,
)

test('I10, I11, I17: rings attached again and again, each time with waits, leave nothing behind', async () => {
  const { memory, listeners, left } = await measured(`
    const plain = new SharedRingBuffer(100).getSharedBuffer()
    const messages = createMessageRing({ capacity: 100 }).buffer
    const bytes = createRingChannel({ capacity: 100 }).buffer
    const peer = new AbortController().signal
    const chunk = new Uint8Array(50)
    const attach = times => async () => {
      for (let i = 0; i < times; i++) {
        const ring = SharedRingBuffer.fromSharedBuffer(plain)
        const there = ring.waitReadableAsync(50)
        SharedRingBuffer.fromSharedBuffer(plain).write(chunk)
        await there
        ring.read(50)
        const received = new MessageReceiver(messages, { peer }).receiveAsync()
        new MessageSender(messages, { peer }).trySend(chunk)
        await received
        const read = new RingReader(bytes, { peer }).readAsync(50)
        new RingWriter(bytes, { peer }).tryWrite(chunk)
        await read
      }
    }
    const memory = await growth(attach(5_000), attach(20_000))
    say({ memory, listeners: getEventListeners(peer, 'abort').length, left: resources() })
  `)
  expect(memory).toEqual(flat(1)) // 50 bytes each time would be 1 MB
  expect([listeners, left]).toEqual([1, []])
}, 70_000)

test.each([
  ['wants to know of a cancellation', 'writer.cancelled'],
  ['is a node:stream', 'toReadable(reader).resume(); const stream = toWritable(writer); stream.end()'],
  ['is a web stream', 'writer.toWritableStream()'],
])(
  'I11: the memory of a channel that has ended goes, also when its writer %s',
  async (_, use) => {
    const { memory } = await measured(`
    const begin = times => async () => {
      for (let i = 0; i < times; i++) {
        const { buffer } = createRingChannel({ capacity: 100_000 })
        const writer = new RingWriter(buffer)
        const reader = new RingReader(buffer)
        ${use}
        await new Promise(resolve => setImmediate(resolve))
        writer.end()
        reader.tryRead()
      }
    }
    say({ memory: await growth(begin(100), begin(1_000)) })
  `)
    expect(memory.arrayBuffers).toBeLessThan(10) // all of them have 100 MB
  },
  70_000,
)

describe('I10, I11: a million asynchronous waits, in all, leave nothing behind', () => {
  const setups = {
    'on a plain ring': `
      const ring = new SharedRingBuffer(10)
      const wait = options => ring.waitReadableAsync(1, options)
      const give = () => ring.write(new Uint8Array(1))
      const take = () => ring.read(1)
    `,
    'for messages': `
      const { buffer } = createMessageRing({ capacity: 20 })
      const receiver = new MessageReceiver(buffer)
      const sender = new MessageSender(buffer)
      const wait = options => receiver.receiveAsync(options)
      const give = () => sender.trySend(new Uint8Array(1))
      const take = () => {}
    `,
  }
  test.each(Object.entries(setups))(
    '%s, satisfied, timed out and aborted',
    async (_, setup) => {
      const { memory, listeners, left } = await measured(`
      ${setup}
      const lasting = new AbortController().signal
      async function batch() {
        const waits = []
        for (let i = 0; i < 490; i++) {
          const controller = new AbortController()
          waits.push(wait({ signal: controller.signal }))
          controller.abort()
        }
        // On the eleventh listener that stays Node prints a warning.
        for (let i = 0; i < 10; i++) waits.push(wait({ signal: lasting, timeoutMs: 1 }))
        await Promise.allSettled(waits)
        for (let i = 0; i < 500; i++) {
          const there = wait({ signal: lasting })
          give()
          await there
          take()
        }
      }
      const batches = n => async () => { while (n-- > 0) await batch() }
      const memory = await growth(batches(50), batches(500))
      say({ memory, listeners: getEventListeners(lasting, 'abort').length, left: resources() })
    `)
      expect(memory).toEqual(flat(2.5)) // 10 bytes each time would be 5 MB
      expect([listeners, left]).toEqual([0, []])
    },
    70_000,
  )
})

describe('I11: a node:stream', () => {
  const setup = `
    const { buffer } = createRingChannel({ capacity: 10 })
    const writer = new RingWriter(buffer)
    const reader = new RingReader(buffer)
  `
  test.each([
    [
      'that waits for bytes keeps the process alive',
      `
      setTimeout(() => { writer.tryWrite(Buffer.from('late')); writer.end() }, 100).unref()
      toReadable(reader).pipe(process.stdout)`,
      'late',
    ],
    [
      'that waits for room keeps the process alive',
      `
      setTimeout(() => { console.log(reader.tryRead().length); reader.tryRead() }, 100).unref()
      toWritable(writer).end('more than there is', () => console.log('finished'))`,
      '10\nfinished\n',
    ],
    [
      'that nobody reads, or writes, does not',
      `
      toReadable(reader); toWritable(writer)`,
      '',
    ],
    [
      'that is destroyed while it waits for bytes does not',
      `
      const stream = toReadable(reader).resume()
      setImmediate(() => stream.destroy())
      stream.once('close', () => console.log(resources()))`,
      '[]\n',
    ],
    [
      'that is destroyed while it waits for room does not',
      `
      const stream = toWritable(writer)
      stream.write('more than there is')
      setImmediate(() => stream.destroy())
      stream.once('close', () => console.log(resources()))`,
      '[]\n',
    ],
    [
      "whose listener throws ends the process with that error, which is no promise's",
      `
      process.once('uncaughtException', (error, origin) => console.log(error.message, origin))
      setImmediate(() => writer.tryWrite(Buffer.from('x')))
      toReadable(reader).once('data', () => { throw new Error('boom') }).once('close', () => {})
      setTimeout(() => reader.cancel(), 100)`,
      'boom uncaughtException\n',
    ],
  ])('%s', async (_, text, output) => {
    expect(await run(setup + measuring + text)).toEqual({ code: 0, output })
  })
})
