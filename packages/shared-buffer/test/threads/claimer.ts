import { workerData } from 'node:worker_threads'
import { attachSharedBufferPool } from '../../src/index.js'
import { waitWhile } from './wait-while.js'

// Tries to claim each lease that is announced, and reports how that went: see pool-threads.test.ts.
const pool = attachSharedBufferPool(workerData.pool)
const words = new Int32Array(workerData.words)
for (let round = 1; round <= workerData.rounds; round++) {
  waitWhile(words, 0, round - 1)
  const claim = pool.claim(Atomics.load(words, 1), Atomics.load(words, 2))
  let outcome = 1
  if (claim !== undefined) {
    for (let spin = 0; spin < (round * 31) % 300; spin++) Atomics.load(words, 3)
    outcome = claim.finish() ? 2 : 3
  }
  Atomics.store(words, 3, outcome)
  Atomics.notify(words, 3)
}
