import {
  MessageReceiver,
  MessageSender,
  type Peer,
  RingReader,
  RingWriter,
  SharedRingBuffer,
  type WaitOptions,
} from '../../src/index.js'
import { type Dice, dice } from './dice.js'
import { numbered, requireNumbered } from './numbered.js'
import { byteAt } from './stream.js'

export type Kind = 'ring' | 'messages' | 'channel'

/** One side's part: the stretch of the endless sequence of bytes, or of messages, to carry. */
export interface Part {
  kind: Kind
  buffer: SharedArrayBuffer
  seed: number
  from: number
  to: number
  /** Whether this thread may block. */
  mayBlock: boolean
  /** Waits without a limit, so that a wake-up that is lost is a hang. Else it gives up now and then. */
  patient?: boolean
  peer?: Peer
  /** Told after each step how far this side has come. */
  progress?(at: number): void
  /** For a plain ring, which knows of no peer: whether the other side is gone. */
  gone?(): boolean
}

/** Carries some items from number `at` on; answers how many, 0 when it was given up, `null` at the end. */
type Step = (at: number, to: number) => Promise<number | null> | number | null

/** Who has a peer need not give up either: the peer's end must end its wait. */
const patienceOf = ({ patient, peer }: Part): WaitOptions => (patient || peer ? {} : { timeoutMs: 50 })
const nap = new Int32Array(new SharedArrayBuffer(4))

/** Writes its stretch by all members in turn, and ends; answers how far it came before its peer was gone. */
export function write(part: Part): Promise<number> {
  return play(part, { ring: writeRing, messages: send, channel: writeChannel }[part.kind])
}

/** Reads its stretch, or to the end, by all members in turn, and throws at the first item that is another. */
export function read(part: Part): Promise<number> {
  return play(part, { ring: readRing, messages: receive, channel: readChannel }[part.kind])
}

async function play(part: Part, begin: (part: Part, roll: Dice) => Step): Promise<number> {
  const roll = dice(part.seed)
  let at = part.from
  try {
    const step = begin(part, roll)
    for (;;) {
      const gone = part.gone?.() ?? false
      const items = await step(at, part.to)
      if (items === null) return at
      at += items
      part.progress?.(at)
      if (items === 0 && gone) return at
      if (items === 0 || roll(50) === 0) await stall(part, roll)
    }
  } catch (error) {
    if ((error as { code?: string }).code === 'PEER_GONE') return at
    throw error
  }
}

async function stall({ mayBlock }: Part, roll: Dice): Promise<void> {
  if (mayBlock && roll(2) === 0) Atomics.wait(nap, 0, 0, roll(20) / 10)
  else if (roll(4) === 0) await new Promise(resolve => setTimeout(resolve, roll(3)))
  else await new Promise(resolve => setImmediate(resolve))
}

/** Mostly small, at times all that fits. */
function size(roll: Dice, most: number): number {
  return roll(10) === 0 ? most : 1 + roll(Math.min(most, 100))
}

function bytesFrom(at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = byteAt(at + i)
  return bytes
}

function requireBytesFrom(at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++)
    if (bytes[i] !== byteAt(at + i)) throw new Error(`byte ${at + i} is ${bytes[i]}, not ${byteAt(at + i)}`)
  return bytes.length
}

function writeRing(part: Part, roll: Dice): Step {
  const { buffer, mayBlock, patient } = part
  const patience = patient ? {} : { timeoutMs: 50 } // as it knows of no peer
  const ring = SharedRingBuffer.fromSharedBuffer(buffer)
  return async (at, to) => {
    if (at === to) return null
    const n = Math.min(to - at, size(roll, ring.capacity))
    const bytes = bytesFrom(at, n)
    const cut = roll(n + 1)
    switch (roll(3)) {
      case 0:
        if (ring.write(bytes)) return n
        break
      case 1:
        if (ring.writev([bytes.subarray(0, cut), bytes.subarray(cut)])) return n
        break
      default: {
        const [first, second] = ring.reserve(n)
        if (!first) break
        first.set(bytes.subarray(0, first.length))
        second?.set(bytes.subarray(first.length))
        ring.commit(cut)
        return cut
      }
    }
    if (mayBlock && roll(2)) ring.waitWritable(n, patience)
    else if (roll(2)) await ring.waitWritableAsync(n, patience)
    return 0
  }
}

function readRing(part: Part, roll: Dice): Step {
  const { buffer, mayBlock, patient } = part
  const patience = patient ? {} : { timeoutMs: 50 }
  const ring = SharedRingBuffer.fromSharedBuffer(buffer)
  return async (at, to) => {
    if (at === to) return null
    const most = Math.min(to - at, size(roll, ring.capacity))
    let items = 0
    const how = roll(3)
    if (how === 0) items = requireBytesFrom(at, ring.read(most) ?? new Uint8Array())
    else if (how === 1) {
      const target = new Uint8Array(most)
      items = requireBytesFrom(at, target.subarray(0, ring.readInto(target)))
    } else {
      let there = 0
      for (const span of ring.peek(most)) there += requireBytesFrom(at + there, span)
      items = there === 0 ? 0 : 1 + roll(there)
      ring.consume(items)
    }
    if (items > 0) return items
    if (mayBlock && roll(2)) ring.waitReadable(1, patience)
    else if (roll(2)) await ring.waitReadableAsync(1, patience)
    return 0
  }
}

/** The longest that message number `index` may be, in a ring of whatever size. */
export function longest(index: number, most: number): number {
  return index % 32 === 0 ? most : Math.min(most, 60)
}

function send(part: Part, roll: Dice): Step {
  const { buffer, mayBlock, peer } = part
  const patience = patienceOf(part)
  const sender = new MessageSender(buffer, { peer, spin: roll(2) * 100 })
  const nth = (index: number) => numbered(index, longest(index, sender.maxMessageBytes))
  return async (at, to) => {
    if (at === to) return finish(sender)
    switch (roll(mayBlock ? 4 : 3)) {
      case 0:
        return Number(sender.trySend(nth(at)))
      case 1:
        return Number(await sender.sendAsync(nth(at), patience))
      case 2:
        return sender.sendBatch(
          Array.from({ length: Math.min(to - at, 1 + roll(5)) }, (_, next) => nth(at + next)),
        )
      default:
        return Number(sender.send(nth(at), patience))
    }
  }
}

function receive(part: Part, roll: Dice): Step {
  const { buffer, mayBlock, peer } = part
  const patience = patienceOf(part)
  const receiver = new MessageReceiver(buffer, { peer, spin: roll(2) * 100 })
  const most = new MessageSender(buffer).maxMessageBytes
  const check = (index: number, message: Uint8Array) => requireNumbered(message, index, longest(index, most))
  return async at => {
    const how = roll(mayBlock ? 4 : 3)
    if (how === 0) {
      let index = at
      const drained = receiver.drain(message => check(index++, message))
      if (drained > 0) return drained
    }
    const message =
      how === 3
        ? receiver.receive(patience)
        : how === 2
          ? await receiver.receiveAsync(patience)
          : receiver.tryReceive()
    if (!message) return message === null ? null : 0
    check(at, message)
    return 1
  }
}

function writeChannel(part: Part, roll: Dice): Step {
  const { buffer, mayBlock, peer } = part
  const patience = patienceOf(part)
  const writer = new RingWriter(buffer, { peer, spin: roll(2) * 100 })
  return async (at, to) => {
    if (at === to) return finish(writer)
    // Up to three times the capacity.
    const bytes = bytesFrom(at, Math.min(to - at, size(roll, 3 * capacityOf('channel', buffer))))
    switch (roll(mayBlock ? 3 : 2)) {
      case 0:
        return writer.tryWrite(bytes) ? bytes.length : 0
      case 1:
        return writer.writeAsync(bytes, patience)
      default:
        return writer.write(bytes, patience)
    }
  }
}

function readChannel(part: Part, roll: Dice): Step {
  const { buffer, mayBlock, peer } = part
  const patience = patienceOf(part)
  const reader = new RingReader(buffer, { peer, spin: roll(2) * 100 })
  return async at => {
    const most = size(roll, capacityOf('channel', buffer))
    const target = new Uint8Array(most)
    switch (roll(mayBlock ? 4 : 3)) {
      case 0: {
        const bytes = reader.readInto(target)
        return typeof bytes === 'number' ? requireBytesFrom(at, target.subarray(0, bytes)) : carried(bytes)
      }
      case 1:
        return carried(await reader.readAsync(most, patience))
      case 2:
        return carried(reader.tryRead(most))
      default:
        return carried(reader.read(most, patience))
    }
    function carried(bytes: Uint8Array | undefined | null): number | null {
      return bytes ? requireBytesFrom(at, bytes) : bytes === null ? null : 0
    }
  }
}

export function capacityOf(kind: Kind, buffer: SharedArrayBuffer): number {
  return buffer.byteLength - (kind === 'ring' ? 8 : 1536)
}

function finish(side: { end(): void }): null {
  side.end()
  return null
}
