import { parentPort, workerData } from 'node:worker_threads'
import { MessageReceiver, MessageSender } from '../../src/index.js'

/** A thread that sends numbered messages of changing length, or checks them, and ends. */
const { buffer, role, count, spin } = workerData as {
  buffer: SharedArrayBuffer
  role: 'send' | 'receive'
  count: number
  spin: number
}

/** The longest fills the ring. */
function numbered(index: number, longest: number): Uint8Array {
  const bytes = new Uint8Array((Math.imul(index, 0x9e3779b1) >>> 8) % (longest + 1))
  return bytes.fill(index)
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
    const expected = numbered(index, longest)
    if (message.length !== expected.length || !message.every((byte, at) => byte === expected[at]))
      throw new Error(`message ${index} is ${message}`)
    index++
  }
  for (;;) {
    const message = receiver.receive()
    if (message === null) break
    check(message as Uint8Array)
    receiver.drain(check)
  }
  parentPort?.postMessage(index)
}
