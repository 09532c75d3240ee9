import {
  attachSharedBufferPool,
  fromSharedBuffer,
  readFromBuffer,
  SharedMutex,
  writeToBuffer,
} from '../../src/index.js'

// A worker of a web page: blocks for a request, answers in the slot that it names, under the lock.
interface WorkerScope {
  onmessage: (event: {
    data: { requests: SharedArrayBuffer; pool: SharedArrayBuffer; lock: SharedArrayBuffer }
  }) => void
  postMessage(message: unknown): void
}
const scope = globalThis as unknown as WorkerScope
scope.onmessage = ({ data }) => {
  const { index, generation, text } = readFromBuffer<{ index: number; generation: number; text: string }>(
    fromSharedBuffer(data.requests),
    10_000,
  )
  const mutex = new SharedMutex(data.lock)
  mutex.lock(10_000)
  const claim = attachSharedBufferPool(data.pool).claim(index, generation)
  if (claim) writeToBuffer(claim.mailbox, text.toUpperCase())
  const finished = claim?.finish()
  mutex.unlock()
  scope.postMessage(finished)
}
