import { StringDecoder } from 'node:string_decoder'
import { createRingChannel, RingReader, RingWriter, SharedRingBuffer } from '@scratchyjs/ring-buffer'
import { RingBuffer } from 'ringbuf.js'
import type { Contender } from './contender.js'
import { LIMIT_MS } from './gate.js'
import { ReferenceRing } from './reference-ring.js'
import { check, requireWhole, stampedMessages, stampMask } from './stamp.js'

// Rings of bytes carry the same messages as chunks of one size. Where whole chunks are written, whole ones are
// there to be read.

const bounded = { timeoutMs: LIMIT_MS }
const channelMemory = (_size: number, capacity: number): SharedArrayBuffer =>
  createRingChannel({ capacity }).buffer

export const channel: Contender = {
  memory: channelMemory,
  producer({ memory, size }) {
    const writer = new RingWriter(memory)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        const message = messages[i & mask] as Uint8Array
        while (!writer.tryWrite(message)) patience.retry()
      }
    }
  },
  consumer({ memory, size }) {
    const reader = new RingReader(memory)
    const target = new Uint8Array(size)
    const mask = stampMask(size)
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        let bytes = reader.readInto(target)
        while (bytes === undefined) {
          patience.retry()
          bytes = reader.readInto(target)
        }
        requireWhole(bytes, size)
        check(target, size, i & mask)
      }
    }
  },
}

export const blockingChannel: Contender = {
  memory: channelMemory,
  producer({ memory, size }) {
    const writer = new RingWriter(memory)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return count => {
      for (let i = 0; i < count; i++) {
        const message = messages[i & mask] as Uint8Array
        if (writer.write(message, bounded) !== size) throw new Error(`no room within ${LIMIT_MS} ms`)
      }
    }
  },
  consumer({ memory, size }) {
    const reader = new RingReader(memory)
    // The writer writes pieces as room comes: only the stamps of the whole are left to look at.
    const ends = new Uint8Array(2)
    const mask = stampMask(size)
    return count => {
      for (let i = 0; i < count; i++) {
        for (let have = 0; have < size; ) {
          const piece = reader.read(size - have, bounded)
          if (!piece) throw new Error(`no bytes within ${LIMIT_MS} ms`)
          if (have === 0) ends[0] = piece[0] as number
          have += piece.length
          if (have === size) ends[1] = piece[piece.length - 1] as number
        }
        check(ends, 2, i & mask)
      }
    }
  },
}

/** Text is encoded and decoded so many characters at a time, however it is cut into messages. */
const TEXT_PIECE = 16_384

/** What thread-stream does, over our channel: strings in, gathered while they are short, and their text out. */
export const textChannel: Contender = {
  memory: channelMemory,
  producer({ memory, size }) {
    const writer = new RingWriter(memory)
    const text = 'a'.repeat(size)
    const encoded = Buffer.allocUnsafeSlow(3 * TEXT_PIECE)
    return (count, patience) => {
      const flush = (piece: string): void => {
        const bytes = encoded.subarray(0, encoded.write(piece))
        while (!writer.tryWrite(bytes)) patience.retry()
      }
      let gathered = ''
      for (let i = 0; i < count; i++) {
        gathered += text
        if (gathered.length < TEXT_PIECE) continue
        let from = 0
        for (; from + TEXT_PIECE <= gathered.length; from += TEXT_PIECE)
          flush(gathered.slice(from, from + TEXT_PIECE))
        gathered = gathered.slice(from)
      }
      if (gathered !== '') flush(gathered)
    }
  },
  consumer({ memory, size }) {
    const reader = new RingReader(memory)
    const target = Buffer.allocUnsafeSlow(4 * TEXT_PIECE)
    return (count, patience) => {
      const decoder = new StringDecoder()
      for (let have = 0; have < count * size; ) {
        const bytes = reader.readInto(target)
        if (bytes === undefined) {
          patience.retry()
          continue
        }
        const text = decoder.write(target.subarray(0, bytes ?? 0))
        if (text.length !== bytes || text[0] !== 'a' || text[bytes - 1] !== 'a') {
          throw new Error(`text is ${text.length} characters, ${text[0]} … ${text[text.length - 1]}`)
        }
        have += text.length
      }
    }
  },
}

export const plainRing: Contender = {
  memory: (_size, capacity) => new SharedRingBuffer(capacity).getSharedBuffer(),
  producer({ memory, size }) {
    const ring = SharedRingBuffer.fromSharedBuffer(memory)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        const message = messages[i & mask] as Uint8Array
        while (!ring.write(message)) patience.retry()
      }
    }
  },
  consumer({ memory, size }) {
    const ring = SharedRingBuffer.fromSharedBuffer(memory)
    const target = new Uint8Array(size)
    const mask = stampMask(size)
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        let bytes = ring.readInto(target)
        while (bytes === 0) {
          patience.retry()
          bytes = ring.readInto(target)
        }
        requireWhole(bytes, size)
        check(target, size, i & mask)
      }
    }
  },
}

export const referenceRing: Contender = {
  memory: (_size, capacity) => ReferenceRing.allocate(capacity),
  producer({ memory, size }) {
    const ring = new ReferenceRing(memory)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        const message = messages[i & mask] as Uint8Array
        while (!ring.write(message)) patience.retry()
      }
    }
  },
  consumer({ memory, size }) {
    const ring = new ReferenceRing(memory)
    const target = new Uint8Array(size)
    const mask = stampMask(size)
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        let bytes = ring.readInto(target)
        while (bytes === 0) {
          patience.retry()
          bytes = ring.readInto(target)
        }
        requireWhole(bytes, size)
        check(target, size, i & mask)
      }
    }
  },
}

/** Its push and pop take what fits, so the rest of a message is tried again. */
export const ringbufJs: Contender = {
  memory: (_size, capacity) => RingBuffer.getStorageForCapacity(capacity, Uint8Array),
  producer({ memory, size }) {
    const ring = new RingBuffer(memory, Uint8Array)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        const message = messages[i & mask] as Uint8Array
        let sent = ring.push(message, size)
        while (sent < size) {
          patience.retry()
          sent += ring.push(message, size - sent, sent)
        }
      }
    }
  },
  consumer({ memory, size }) {
    const ring = new RingBuffer(memory, Uint8Array)
    const target = new Uint8Array(size)
    const mask = stampMask(size)
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        let bytes = ring.pop(target, size)
        while (bytes < size) {
          patience.retry()
          bytes += ring.pop(target, size - bytes, bytes)
        }
        check(target, size, i & mask)
      }
    }
  },
}

/** The floor: both threads copy as many bytes, round and round the same memory, and heed each other in nothing. */
export const copiesAlone: Contender = {
  memory: (_size, capacity) => new SharedArrayBuffer(capacity),
  producer({ memory, size }) {
    const data = new Uint8Array(memory)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return count => {
      for (let i = 0, at = 0; i < count; i++) {
        data.set(messages[i & mask] as Uint8Array, at)
        at += size
        if (at === data.length) at = 0
      }
    }
  },
  consumer({ memory, size }) {
    const pieces = Array.from(
      { length: memory.byteLength / size },
      (_, i) => new Uint8Array(memory, i * size, size),
    )
    const target = new Uint8Array(size)
    return count => {
      for (let i = 0, at = 0; i < count; i++) {
        target.set(pieces[at] as Uint8Array)
        if (++at === pieces.length) at = 0
      }
    }
  },
}
