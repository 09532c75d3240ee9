import { workerData } from 'node:worker_threads'
import { SharedRingBuffer } from '../../src/index.js'
import { consume, produce, type Stream } from './stream.js'

/** A thread that plays one side of a stream, and ends. */
const { buffer, role, stream } = workerData as {
  buffer: SharedArrayBuffer
  role: 'produce' | 'consume'
  stream: Stream
}
const ring = SharedRingBuffer.fromSharedBuffer(buffer)
await (role === 'produce' ? produce : consume)(ring, stream)
