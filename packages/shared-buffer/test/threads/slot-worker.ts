import { parentPort, workerData } from 'node:worker_threads'
import { attachSharedBufferPool, readFromBuffer, writeToBuffer } from '../../src/index.js'

// Told a lease's numbers, turns the slot's message round in place; or hangs with the claim in its hands.
const pool = attachSharedBufferPool(workerData)
parentPort?.on('message', ({ index, generation, hang }) => {
  const claim = pool.claim(index, generation)
  if (claim === undefined) {
    parentPort?.postMessage('refused')
    return
  }
  const text = readFromBuffer<string>(claim.mailbox, 0)
  if (hang) {
    parentPort?.postMessage('hanging')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
  writeToBuffer(claim.mailbox, [...text].reverse().join(''))
  parentPort?.postMessage(claim.finish() ? 'done' : 'revoked')
})
