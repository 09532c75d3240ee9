import { workerData } from 'node:worker_threads'
import { bytesCodec, failBuffer, fromSharedBuffer, resetBuffer, writeToBuffer } from '../../src/index.js'
import { waitWhile } from './wait-while.js'

// Each round: a large message, withdrawn after a while. words: the round that has begun, and that the reader is done with.
const shared = fromSharedBuffer(workerData.buffer)
const words = new Int32Array(workerData.words)
const message = new Uint8Array(shared.data.byteLength)
for (let round = 1; round <= workerData.rounds; round++) {
  resetBuffer(shared)
  Atomics.store(words, 0, round)
  Atomics.notify(words, 0)
  writeToBuffer(shared, message.fill(round), { codec: bytesCodec })
  for (let spin = 0; spin < (round * 997) % 20_000; spin++) Atomics.load(words, 0)
  failBuffer(shared, `round ${round}`)
  waitWhile(words, 1, round - 1)
}
