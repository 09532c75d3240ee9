import { MessageReceiver, MessageSender, RingReader, RingWriter, SharedRingBuffer } from '../../src/index.js'
import { consume, produce } from './stream.js'

/** What a page asks of its worker: to play the other side, and to block meanwhile. */
export interface Task {
  kind: 'bytes' | 'messages' | 'channel' | 'fail' | 'write on'
  down: SharedArrayBuffer
  up: SharedArrayBuffer
  /** Bytes to check and to make. */
  bytes: number
}

interface WorkerScope {
  onmessage: (event: { data: Task }) => void
  postMessage(message: unknown): void
}

async function play({ kind, down, up, bytes }: Task): Promise<unknown> {
  if (kind === 'bytes') {
    await consume(SharedRingBuffer.fromSharedBuffer(down), { patience: 'parked', from: 0, to: bytes })
    await produce(SharedRingBuffer.fromSharedBuffer(up), { patience: 'parked', from: 0, to: bytes })
  } else if (kind === 'messages') {
    const receiver = new MessageReceiver(down)
    const sender = new MessageSender(up)
    for (let next = receiver.receive(); next; next = receiver.receive()) sender.send(next)
    sender.end()
  } else {
    const reader = new RingReader(down)
    const writer = new RingWriter(up)
    for (let next = reader.read(); next; next = reader.read()) writer.write(next)
    if (kind === 'channel') writer.end()
    if (kind === 'fail') writer.fail(Object.assign(new TypeError('boom'), { code: 'EBOOM' }))
    if (kind === 'write on') {
      try {
        for (;;) writer.write(new Uint8Array(100))
      } catch (error) {
        const { code, cause } = error as Error & { code: string }
        return [code, (cause as Error).message]
      }
    }
  }
  return 'done'
}

const scope = globalThis as unknown as WorkerScope
scope.onmessage = async ({ data }) => {
  scope.postMessage(await play(data).catch(error => String(error)))
}
