import { receiveMessageOnPort } from 'node:worker_threads'
import type { Contender, Link, Loop } from './contender.js'
import { check, stampedMessages, stampMask } from './stamp.js'

/** What may be under way at most: postMessage itself has no backpressure, and its queue no bound. */
const WINDOW = { messages: 1024, bytes: 16 * 2 ** 20 }

/** The shared memory holds no messages, only how many were taken: the cheapest flow control that there is. */
const RECEIVED = 0
const memory = (): SharedArrayBuffer => new SharedArrayBuffer(4)

function windowOf(size: number): number {
  return Math.max(4, Math.min(WINDOW.messages, Math.floor(WINDOW.bytes / size)))
}

/** Takes messages as the event loop brings them. */
function consumer({ memory, port, size }: Link, taken: (message: Uint8Array<ArrayBuffer>) => void): Loop {
  const received = new Int32Array(memory)
  const mask = stampMask(size)
  let finish: { count: number; resolve: () => void; reject: (error: unknown) => void } | undefined
  let index = 0
  port.on('message', (message: Uint8Array<ArrayBuffer>) => {
    try {
      check(message, size, index++ & mask)
      taken(message)
      Atomics.store(received, RECEIVED, index)
      if (index === finish?.count) finish.resolve()
    } catch (error) {
      finish?.reject(error)
    }
  })
  return count => {
    index = 0
    return new Promise<void>((resolve, reject) => {
      finish = { count, resolve, reject }
    })
  }
}

/** Posts messages, as many ahead of the receiver as the window is wide. */
function producer({ memory, size }: Link, post: (message: Uint8Array<ArrayBuffer>) => void): Loop {
  const received = new Int32Array(memory)
  const messages = stampedMessages(size)
  const mask = messages.length - 1
  const window = windowOf(size)
  return (count, patience) => {
    Atomics.store(received, RECEIVED, 0)
    for (let i = 0; i < count; i++) {
      while (i - Atomics.load(received, RECEIVED) >= window) patience.retry()
      post(messages[i & mask] as Uint8Array<ArrayBuffer>)
    }
  }
}

export const postMessageClone: Contender = {
  memory,
  producer: link => producer(link, message => link.port.postMessage(message)),
  consumer: link => consumer(link, () => {}),
}

/** From this size on sending the memory back is cheaper than to allocate it anew for each message. */
const RETURNED_FROM = 262_144

/** A message's memory is gone once it was sent, so allocating or getting it back is part of the cost. */
export const postMessageTransfer: Contender = {
  memory,
  producer: link =>
    producer(link, message => {
      const returned = link.size >= RETURNED_FROM ? receiveMessageOnPort(link.port) : undefined
      const copy: Uint8Array<ArrayBuffer> = returned?.message ?? message.slice()
      if (returned) copy.set(message)
      link.port.postMessage(copy, [copy.buffer])
    }),
  consumer: link =>
    consumer(link, message => {
      if (link.size >= RETURNED_FROM) link.port.postMessage(message, [message.buffer])
    }),
}
