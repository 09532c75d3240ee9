import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import {
  createMessageRing,
  createRingChannel,
  MessageReceiver,
  RingReader,
  SharedRingBuffer,
} from '../src/index.js'
import { startAt } from './padded.js'
import { type Dice, dice } from './threads/dice.js'
import { numbered } from './threads/numbered.js'
import { byteAt } from './threads/stream.js'
import { capacityOf, type Kind, longest, type Part, read, write } from './threads/stress.js'

/** Each test goes on for its share of these seconds. A soak gives more. */
const SECONDS = Number(process.env.STRESS_SECONDS ?? 12)
/** Chooses what the threads do; what their timing makes of that differs each time. */
const SEED = Number(process.env.STRESS_SEED ?? randomInt(2 ** 31))
const TESTS = 12
vi.setConfig({ testTimeout: (SECONDS * 1000) / TESTS + 20_000 })
const kinds: Kind[] = ['ring', 'messages', 'channel']

const folder = join(inject('folder'), 'node_modules/@scratchyjs/ring-buffer/test/threads')
const workers: Worker[] = []

afterEach(async () => {
  await Promise.all(workers.splice(0).map(worker => worker.terminate()))
})

function start(program: string, workerData: object): Worker {
  const worker = new Worker(join(folder, `${program}.js`), { workerData })
  workers.push(worker)
  return worker
}

/**
 * Runs rounds for this test's share of the time, every other one with a third thread that wakes sleepers for
 * nothing: that must do no harm, but would hide a wake-up that is lost. A failure names the seed and the ring.
 */
async function rounds(kind: Kind, round: (state: Round) => Promise<void>): Promise<void> {
  const end = performance.now() + (SECONDS * 1000) / TESTS
  for (let n = 0; n < 2 || performance.now() < end; n++) {
    const seed = (SEED + n * 7919) | 0
    const roll = dice(seed)
    const [buffer, what] = make(kind, roll)
    const noisy = seed % 2 !== 0 // as every other one is
    try {
      if (noisy) start('noise', { buffer, words: kind === 'ring' ? 2 : 100, seed: roll(2 ** 31) })
      await Promise.race([round({ buffer, roll, noisy }), tooLong()])
    } catch (error) {
      throw new Error(`${what} with STRESS_SEED=${seed}: ${error}`, {
        cause: error,
      })
    } finally {
      await Promise.all(workers.splice(0).map(worker => worker.terminate()))
    }
  }
}

interface Round {
  buffer: SharedArrayBuffer
  roll: Dice
  noisy: boolean
}

function make(kind: Kind, roll: Dice): [buffer: SharedArrayBuffer, what: string] {
  const least = kind === 'messages' ? 16 : 1
  const capacity = least + roll([3, 20, 500, 4096 - least][roll(4)] as number)
  const from = (2 ** (31 + roll(2)) - roll(3 * capacity)) | 0
  const what = `${kind} of ${capacity} bytes from ${from}`
  if (kind === 'messages') return [startAt(createMessageRing({ capacity }).buffer, from), what]
  if (kind === 'channel') return [startAt(createRingChannel({ capacity }).buffer, from), what]
  const buffer = new SharedRingBuffer(capacity).getSharedBuffer()
  new Int32Array(buffer, 0, 2).fill(from)
  return [buffer, what]
}

function tooLong(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('no end after 15 s')), 15_000).unref()
  })
}

/** What a worker says at the end; rejects with its error. */
async function result<T = number>(worker: Worker): Promise<T> {
  return (await once(worker, 'message'))[0]
}

describe.each(kinds)('%s:', kind => {
  test('I3, I7, I13, I15, I18: two threads that stall at random, at times with a third that wakes them for nothing', () =>
    rounds(kind, async ({ buffer, roll, noisy }) => {
      const to = kind === 'messages' ? 700 : Math.min(30_000, 500 * capacityOf(kind, buffer))
      const part = (): Part => ({
        kind,
        buffer,
        seed: roll(2 ** 31),
        from: 0,
        to,
        mayBlock: true,
        patient: !noisy,
      })
      const sides = [
        start('stress-side', { role: 'read', part: part() }),
        start('stress-side', { role: 'write', part: part() }),
      ]
      expect(await Promise.all(sides.map(result))).toEqual([to, to])
    }))

  test('I3, I17: a writer that is terminated, and its successor on the same memory', () =>
    rounds(kind, async ({ buffer, roll }) => {
      let at = 0
      for (let life = 0; life < 3; life++) {
        const { worker, part, fate } = lifeOf('write', kind, buffer, at, roll)
        at = await read({ ...part, ...fate })
        expect(worker.threadId).toBe(-1)
      }
    }))

  test('I4, I17: a reader that is terminated, and its successor on the same memory', () =>
    rounds(kind, async ({ buffer, roll }) => {
      let at = 0
      for (let life = 0; life < 3; life++) {
        const { part, fate } = lifeOf('read', kind, buffer, at, roll)
        at = await write({ ...part, ...fate })
        at = requireRest(kind, buffer, at)
      }
    }))

  test('I8, I15: memory that a third thread spoils gives errors with codes, no hang, no bytes beyond', async () => {
    const met = [0, 0]
    await rounds(kind, async ({ buffer, roll }) => {
      const capacity = capacityOf(kind, buffer)
      const stop = new Int32Array(new SharedArrayBuffer(4))
      const sides = (['write', 'read'] as const).map(role =>
        start('corrupted-side', { kind, role, buffer, capacity, seed: roll(2 ** 31), stop }),
      )
      await Promise.all(sides.map(side => once(side, 'online')))
      const pristine = new Uint8Array(new Uint8Array(buffer))
      for (const end = performance.now() + 300; performance.now() < end; ) {
        if (roll(4) === 0) new Uint8Array(buffer).set(pristine)
        else spoil(kind, buffer, roll)
        await new Promise(resolve => setTimeout(resolve, roll(3)))
      }
      new Uint8Array(buffer).set(pristine)
      Atomics.store(stop, 0, 1)
      const counts = await Promise.all(sides.map(side => result<Record<string, number>>(side)))
      counts.forEach((count, side) => {
        met[side] = (met[side] as number) + Object.keys(count).length - 1
      })
    })
    // On a busy machine a side may have had no turn in one round while the memory was spoilt.
    expect(met.map(errors => errors > 0)).toEqual([true, true])
  })
})

/** Changes a word of the header, or the bytes of what may be a message's length. */
function spoil(kind: Kind, buffer: SharedArrayBuffer, roll: Dice): void {
  const header = kind === 'ring' ? 8 : 1536
  const used = header === 8 ? [0, 1] : [0, 1, 2, 3, 32, 33, 64, 65, 96, 97, 98, 128, 256]
  const words = new Int32Array(buffer, 0, header / 4)
  const word = used[roll(used.length)] as number
  const values = [
    roll(2 ** 32),
    0,
    -1,
    (words[word] as number) ^ (1 << roll(32)),
    (words[word] as number) + roll(5000),
  ]
  if (roll(3) > 0) words[word] = values[roll(values.length)] as number
  else new Uint8Array(buffer, header).fill(roll(256), roll(buffer.byteLength - header))
}

/** Starts a worker as one side, to be ended at a random point; answers the other side's part, on this thread. */
function lifeOf(role: 'read' | 'write', kind: Kind, buffer: SharedArrayBuffer, from: number, roll: Dice) {
  const part = (mayBlock: boolean): Part => ({
    kind,
    buffer,
    seed: roll(2 ** 31),
    from,
    to: Number.POSITIVE_INFINITY,
    mayBlock,
  })
  const worker = start('stress-side', { role, part: part(true) })
  let gone = false
  worker.once('exit', () => {
    gone = true
  })
  worker.once('error', error => expect.unreachable(String(error)))
  const until = from + roll(Math.min(kind === 'messages' ? 200 : 4_000, 30 * capacityOf(kind, buffer)))
  const deadline = performance.now() + 500
  let ending = false
  const progress = (at: number) => {
    if (ending || (at < until && performance.now() < deadline)) return
    ending = true
    worker.terminate()
  }
  return { worker, part: part(false), fate: { peer: worker, progress, gone: () => gone } }
}

/** Takes all that a dead reader left, and checks that it is the last that was written; answers what comes next. */
function requireRest(kind: Kind, buffer: SharedArrayBuffer, at: number): number {
  if (kind === 'messages') {
    const receiver = new MessageReceiver(buffer)
    const left: Uint8Array[] = []
    for (let next = receiver.tryReceive(); next; next = receiver.tryReceive()) left.push(next)
    const most = capacityOf(kind, buffer) - 8
    const first = at - left.length
    expect(left).toEqual(left.map((_, n) => numbered(first + n, longest(first + n, most))))
    return at
  }
  const left =
    (kind === 'ring'
      ? SharedRingBuffer.fromSharedBuffer(buffer).read(4096)
      : new RingReader(buffer).tryRead(4096)) ?? new Uint8Array()
  // A write that failed may have put the beginning of its chunk there, at most three times the capacity.
  for (let end = at; end <= at + 3 * 4096; end++)
    if (left.every((byte, n) => byte === byteAt(end - left.length + n))) return end
  throw new Error(
    `the ${left.length} bytes that are left are none of those before ${at}: ${left.subarray(0, 20)}`,
  )
}
