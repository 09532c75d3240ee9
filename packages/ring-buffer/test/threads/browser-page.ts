import {
  createMessageRing,
  createRingChannel,
  MessageReceiver,
  MessageSender,
  RingReader,
  RingWriter,
  SharedRingBuffer,
} from '../../src/index.js'
import type { Task } from './browser-worker.js'
import { numbered, requireNumbered } from './numbered.js'
import { byteAt, consume, produce } from './stream.js'

/** A web worker, as far as this page uses it. */
interface WebWorker {
  onmessage: (event: { data: unknown }) => void
  onerror: (event: { message: string }) => void
  postMessage(task: Task): void
  terminate(): void
}
declare const Worker: new (url: string, options: { type: 'module' }) => WebWorker

const CAPACITY = 1000
const SHORTLY_BEFORE_WRAP = (2 ** 32 - 2 * CAPACITY) | 0

/** Puts both cursors where they soon pass 2^32. */
function wrapSoon(buffer: SharedArrayBuffer, writeWord: number, readWord: number): SharedArrayBuffer {
  const words = new Int32Array(buffer, 0, readWord + 1)
  words[writeWord] = words[readWord] = SHORTLY_BEFORE_WRAP
  return buffer
}

const ring = () => wrapSoon(new SharedRingBuffer(CAPACITY).getSharedBuffer(), 0, 1)
const messageRing = () => wrapSoon(createMessageRing({ capacity: CAPACITY }).buffer, 32, 64)
const channel = () => wrapSoon(createRingChannel({ capacity: CAPACITY }).buffer, 32, 64)

/** Has a worker of its own play a task; resolves to what it says at the end. */
function start(task: Task): { worker: WebWorker; finished: Promise<unknown> } {
  const worker = new Worker('/test/threads/browser-worker.js', { type: 'module' })
  const finished = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      worker.terminate()
      resolve(data)
    }
    worker.onerror = ({ message }) => reject(new Error(message))
  })
  worker.postMessage(task)
  return { worker, finished }
}

export async function carryBytes(bytes: number): Promise<unknown> {
  const [down, up] = [ring(), ring()]
  const { finished } = start({ kind: 'bytes', down, up, bytes })
  await produce(SharedRingBuffer.fromSharedBuffer(down), { patience: 'async', from: 0, to: bytes })
  await consume(SharedRingBuffer.fromSharedBuffer(up), { patience: 'async', from: 0, to: bytes })
  return finished
}

export async function carryMessages(count: number): Promise<unknown> {
  const [down, up] = [messageRing(), messageRing()]
  const { finished } = start({ kind: 'messages', down, up, bytes: 0 })
  const sender = new MessageSender(down)
  const longest = 60
  const sending = (async () => {
    for (let index = 0; index < count; index++) await sender.sendAsync(numbered(index, longest))
    sender.end()
  })()
  const receiver = new MessageReceiver(up)
  let index = 0
  for (let next = await receiver.receiveAsync(); next; next = await receiver.receiveAsync())
    requireNumbered(next, index++, longest)
  await sending
  return [await finished, index]
}

export async function carryStreams(bytes: number): Promise<unknown> {
  const [down, up] = [channel(), channel()]
  const { finished } = start({ kind: 'channel', down, up, bytes: 0 })
  const sent = Uint8Array.from({ length: bytes }, (_, at) => byteAt(at))
  const piping = new Blob([sent]).stream().pipeTo(new RingWriter(down).toWritableStream() as WritableStream)
  const response = new Response(new RingReader(up).toReadableStream() as never)
  const got = new Uint8Array(await response.arrayBuffer())
  await piping
  return [await finished, got.length, got.every((byte, at) => byte === sent[at])]
}

/** What a stream of the page makes of a worker's failure, and the worker of the page's cancellation. */
export async function failAndCancel(): Promise<unknown> {
  const [down, up] = [channel(), channel()]
  start({ kind: 'fail', down, up, bytes: 0 })
  await new RingWriter(down).toWritableStream().close()
  const failure = await new RingReader(up)
    .toReadableStream()
    .getReader()
    .read()
    .catch(({ name, message, code }) => [name, message, code])

  const [down2, up2] = [channel(), channel()]
  const { finished } = start({ kind: 'write on', down: down2, up: up2, bytes: 0 })
  new RingWriter(down2).end()
  const source = new RingReader(up2).toReadableStream().getReader()
  await source.read()
  await source.cancel(new Error('enough'))
  return [failure, await finished]
}

/** What a pending call gets when the page ends its worker. */
export async function losePeer(): Promise<unknown> {
  const controller = new AbortController()
  const [down, up] = [channel(), channel()]
  const { worker } = start({ kind: 'channel', down, up, bytes: 0 })
  const reader = new RingReader(up, { peer: controller.signal })
  new RingWriter(down).tryWrite(new Uint8Array(3))
  const first = await reader.readAsync()
  const reading = reader.readAsync().catch(error => error.code)
  worker.terminate()
  controller.abort()
  return [first?.length, await reading]
}

/** The codes of what must not be called on this thread. */
export function blockHere(): string[] {
  const shared = new SharedRingBuffer(10)
  shared.write(new Uint8Array(10))
  const messages = createMessageRing({ capacity: 16 }).buffer
  const bytes = channel()
  const calls = [
    () => new SharedRingBuffer(10).waitReadable(),
    () => shared.waitWritable(),
    () => new MessageReceiver(messages).receive(),
    () => {
      const sender = new MessageSender(messages)
      while (sender.send(new Uint8Array(3)));
    },
    () => new RingReader(bytes).read(),
    () => new RingWriter(bytes).write(new Uint8Array(CAPACITY + 1)),
  ]
  return calls.map(call => {
    try {
      return `answered ${call()}`
    } catch (error) {
      return (error as { code: string }).code
    }
  })
}
