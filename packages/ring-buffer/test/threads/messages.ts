import { parentPort, workerData } from 'node:worker_threads'
import { MessageReceiver, MessageSender } from '../../src/index.js'
import { numbered, requireNumbered } from './numbered.js'

/** A thread that sends numbered messages of changing length, or checks them, and ends. */
const { buffer, role, count, spin } = workerData as {
  buffer: SharedArrayBuffer
  role: 'send' | 'receive'
  count: number
  spin: number
}

if (role === 'send') {
  const sender = new MessageSender(buffer, { spin })
  for (let index = 0; index < count; ) {
    const next = numbered(index, sender.maxMessageBytes)
    if (index % 3 === 0) index += Number(sender.send(next))
    else {
      const sent = sender.sendBatch(
        [next, numbered(index + 1, sender.maxMessageBytes)].slice(0, count - index),
      )
      index += sent === 0 ? Number(sender.send(next)) : sent
    }
  }
  sender.end()
} else {
  const receiver = new MessageReceiver(buffer, { spin })
  const longest = buffer.byteLength - 1536 - 8
  let index = 0
  const check = (message: Uint8Array): void => {
    requireNumbered(message, index++, longest)
  }
  for (;;) {
    const message = receiver.receive()
    if (message === null) break
    check(message as Uint8Array)
    receiver.drain(check)
  }
  parentPort?.postMessage(index)
}
