import {
  createMessageRing,
  createSlotRing,
  MessageReceiver,
  MessageSender,
  SlotConsumer,
  SlotProducer,
} from '@scratchyjs/ring-buffer'
import type { Contender } from './contender.js'
import { LIMIT_MS } from './gate.js'
import { check, requireWhole, stampedMessages, stampMask } from './stamp.js'

const bounded = { timeoutMs: LIMIT_MS }
const memory = (_size: number, capacity: number): SharedArrayBuffer => createMessageRing({ capacity }).buffer

export const messages: Contender = {
  memory,
  producer({ memory, size }) {
    const sender = new MessageSender(memory)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        const message = messages[i & mask] as Uint8Array
        while (!sender.trySend(message)) patience.retry()
      }
    }
  },
  consumer({ memory, size }) {
    const receiver = new MessageReceiver(memory)
    const target = new Uint8Array(size)
    const mask = stampMask(size)
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        let bytes = receiver.receiveInto(target)
        while (bytes === undefined) {
          patience.retry()
          bytes = receiver.receiveInto(target)
        }
        requireWhole(bytes, size)
        check(target, size, i & mask)
      }
    }
  },
}

/** Messages of a batch. A batch that didn't fit whole is sent from its first message left on. */
const BATCH = 32

export const drainedMessages: Contender = {
  memory,
  producer({ memory, size }) {
    const sender = new MessageSender(memory)
    const distinct = stampedMessages(size)
    const batch = Array.from({ length: BATCH }, (_, i) => distinct[i % distinct.length] as Uint8Array)
    // In the order of the messages they begin with, and each short of those before.
    const rests = batch.map((_, i) => batch.slice(i))
    return (count, patience) => {
      for (let sent = 0; sent < count; ) {
        const now = sender.sendBatch(rests[sent % BATCH] as Uint8Array[])
        if (now === 0) patience.retry()
        sent += now
      }
    }
  },
  consumer({ memory, size }) {
    const receiver = new MessageReceiver(memory)
    const mask = stampMask(size)
    let taken = 0
    const take = (message: Uint8Array): void => check(message, size, taken++ & mask)
    return (count, patience) => {
      taken = 0
      while (taken < count) if (receiver.drain(take) === 0) patience.retry()
    }
  },
}

export const blockingMessages: Contender = {
  memory,
  producer({ memory, size }) {
    const sender = new MessageSender(memory)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return count => {
      for (let i = 0; i < count; i++) {
        const message = messages[i & mask] as Uint8Array
        if (!sender.send(message, bounded)) throw new Error(`no room within ${LIMIT_MS} ms`)
      }
    }
  },
  consumer({ memory, size }) {
    const receiver = new MessageReceiver(memory)
    const mask = stampMask(size)
    return count => {
      for (let i = 0; i < count; i++) {
        const message = receiver.receive(bounded)
        if (!message) throw new Error(`no message within ${LIMIT_MS} ms`)
        check(message, size, i & mask)
      }
    }
  },
}

export const slots: Contender = {
  memory: (size, capacity) => createSlotRing({ slots: capacity / size, slotSize: size }).buffer,
  producer({ memory, size }) {
    const producer = new SlotProducer(memory)
    const messages = stampedMessages(size)
    const mask = messages.length - 1
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        const message = messages[i & mask] as Uint8Array
        while (!producer.push(message)) patience.retry()
      }
    }
  },
  consumer({ memory, size }) {
    const consumer = new SlotConsumer(memory)
    const target = new Uint8Array(size)
    const mask = stampMask(size)
    return (count, patience) => {
      for (let i = 0; i < count; i++) {
        while (!consumer.pop(target)) patience.retry()
        check(target, size, i & mask)
      }
    }
  },
}
