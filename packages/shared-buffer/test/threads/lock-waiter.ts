import { parentPort, workerData } from 'node:worker_threads'
import { SharedMutex } from '../../src/index.js'

// 'busy': begins to wait for the lock, then keeps its event loop from noticing anything.
// 'blocking': says when it is about to fall asleep waiting for the lock, and when it has it.
const mutex = new SharedMutex(workerData.lock)
const { wait } = Atomics
if (workerData.how === 'busy') {
  mutex.lockAsync()
  parentPort?.postMessage('waiting')
  wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
} else {
  Atomics.wait = ((...args: Parameters<typeof wait>) => {
    parentPort?.postMessage('waiting')
    return wait(...args)
  }) as typeof wait
  mutex.lock(10_000)
  parentPort?.postMessage('locked')
}
