import { workerData } from 'node:worker_threads'
import { BufferStatus, bytesCodec, fromSharedBuffer, writeToBuffer } from '../../src/index.js'
import { waitWhile } from './wait-while.js'

// Message n is (n * 37) % size bytes that all are n. Waits like code that knows nothing but the layout.
const shared = fromSharedBuffer(workerData.buffer)
for (let n = 1; n <= workerData.messages; n++) {
  waitWhile(shared.status, 0, BufferStatus.DATA_READY)
  const length = (n * 37) % shared.data.byteLength
  writeToBuffer(shared, new Uint8Array(length).fill(n), { codec: bytesCodec })
}
