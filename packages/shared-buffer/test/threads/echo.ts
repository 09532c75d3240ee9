import { parentPort, workerData } from 'node:worker_threads'
import {
  fromSharedBuffer,
  readFromBuffer,
  readFromBufferAsync,
  writeToBuffer,
  writeToBufferAsync,
} from '../../src/index.js'

// Answers every message of `requests` in `answers`.
const { blocking, rounds } = workerData
const requests = fromSharedBuffer(workerData.requests)
const answers = fromSharedBuffer(workerData.answers)
parentPort?.postMessage('ready')
for (let round = 0; round < rounds; round++) {
  if (blocking) writeToBuffer(answers, { echo: readFromBuffer(requests, 10_000) })
  else await writeToBufferAsync(answers, { echo: await readFromBufferAsync(requests, { timeoutMs: 10_000 }) })
}
