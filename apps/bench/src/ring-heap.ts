// How many bytes of heap one operation takes: prints JSON. Run in a process of its own, with --expose-gc and a young
// generation so large that it need not be collected within a measurement. Nothing is freed then, so the growth of
// heapUsed is everything that was allocated, garbage or not. Where a collection is seen all the same, fewer
// operations are measured. What the same loop takes with nothing in it is taken off.
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import {
  createMessageRing,
  createRingChannel,
  createSlotRing,
  MessageReceiver,
  MessageSender,
  RingReader,
  RingWriter,
  SharedRingBuffer,
  SlotConsumer,
  SlotProducer,
} from '@scratchyjs/ring-buffer'
import { median } from './rounds.js'

export interface HeapUse {
  operation: string
  bytes: number
  /** The same after so much traffic that the cursors no longer fit into 31 bits. */
  bytesPast2to31: number
}

const SIZE = 64
const CAPACITY = 65_536
const LARGEST = 32_768
const OPERATIONS = 1_000_000

const message = new Uint8Array(SIZE)
const target = new Uint8Array(LARGEST)

/** Carries `count` of the chunks through. */
type Loop = (count: number, chunk: Uint8Array) => void

const messages = createMessageRing({ capacity: CAPACITY }).buffer
const sender = new MessageSender(messages)
const receiver = new MessageReceiver(messages)
const channel = createRingChannel({ capacity: CAPACITY }).buffer
const writer = new RingWriter(channel)
const reader = new RingReader(channel)
const ring = new SharedRingBuffer(CAPACITY)
const slots = createSlotRing({ slots: CAPACITY / SIZE, slotSize: SIZE }).buffer
const producer = new SlotProducer(slots)
const consumer = new SlotConsumer(slots)

let failed = 0
const operations: Record<string, Loop> = {
  'trySend + receiveInto': (count, chunk) => {
    for (let i = 0; i < count; i++) {
      if (!sender.trySend(chunk) || receiver.receiveInto(target) !== chunk.length) failed++
    }
  },
  'tryWrite + readInto': (count, chunk) => {
    for (let i = 0; i < count; i++) {
      if (!writer.tryWrite(chunk) || reader.readInto(target) !== chunk.length) failed++
    }
  },
  'write + readInto (plain ring)': (count, chunk) => {
    for (let i = 0; i < count; i++) {
      if (!ring.write(chunk) || ring.readInto(target) !== chunk.length) failed++
    }
  },
  'push + pop(into)': (count, chunk) => {
    // Slots are all of one size, so that a large chunk is as many of them.
    for (let i = 0; i < count * (chunk.length / SIZE); i++) {
      if (!producer.push(message) || !consumer.pop(target)) failed++
    }
  },
  'trySend + tryReceive, which copies': (count, chunk) => {
    for (let i = 0; i < count; i++) {
      if (!sender.trySend(chunk) || receiver.tryReceive()?.length !== chunk.length) failed++
    }
  },
}
const nothing: Loop = count => {
  for (let i = 0; i < count; i++) if (target.length !== LARGEST) failed++
}

let collections = 0
const observer = new PerformanceObserver(list => {
  collections += list.getEntries().length
})
observer.observe({ entryTypes: ['gc'] })

/** Bytes that `loop` allocates for each operation. */
async function allocated(loop: Loop): Promise<number> {
  const { gc } = globalThis
  if (!gc) throw new Error('run with --expose-gc')
  for (let count = OPERATIONS; count >= 1000; count /= 10) {
    gc()
    await reported()
    collections = 0
    const before = process.memoryUsage().heapUsed
    loop(count, message)
    const grown = process.memoryUsage().heapUsed - before
    await reported()
    if (collections === 0) return grown / count
  }
  throw new Error('the young generation is too small: every measurement was interrupted by a collection')
}

/** Until the observer has been told of the collections so far. */
async function reported(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate()
}

async function medianOf3(loop: Loop): Promise<number> {
  const empty = await allocated(nothing)
  const found = []
  for (let i = 0; i < 3; i++) found.push((await allocated(loop)) - empty)
  return median(found)
}

const results: HeapUse[] = []
nothing(OPERATIONS, message)
for (const [operation, loop] of Object.entries(operations)) {
  loop(OPERATIONS, message)
  const bytes = await medianOf3(loop)
  loop(2 ** 31 / LARGEST, target)
  loop(OPERATIONS, message)
  results.push({ operation, bytes, bytesPast2to31: await medianOf3(loop) })
}
if (failed > 0) throw new Error(`${failed} operations did not carry their bytes`)
console.log(JSON.stringify(results))
