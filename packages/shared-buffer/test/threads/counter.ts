import { workerData } from 'node:worker_threads'
import { SharedMutex } from '../../src/index.js'

// Adds to a counter in steps that only the lock keeps together. Waits for ever, so that no deadline hides a lost wake-up.
const mutex = new SharedMutex(workerData.lock)
const counter = new Int32Array(workerData.counter)
const add = () => {
  const before = counter[0] ?? 0
  for (let spin = 0; spin < 20; spin++) counter[1] = spin
  counter[0] = before + 1
}
for (let round = 0; round < workerData.rounds; round++) {
  if (workerData.blocking) {
    mutex.lock()
    add()
    mutex.unlock()
  } else {
    await mutex.run(add)
  }
}
