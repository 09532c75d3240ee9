import { parentPort, workerData } from 'node:worker_threads'
import {
  fromSharedBuffer,
  readFromBuffer,
  readFromBufferAsync,
  writeToBuffer,
  writeToBufferAsync,
} from '../../src/index.js'

// Answers every message of `requests` in `answers`. Waits for ever, so that no deadline hides a lost wake-up.
const { blocking, rounds } = workerData
const timeoutMs = Number.POSITIVE_INFINITY
const requests = fromSharedBuffer(workerData.requests)
const answers = fromSharedBuffer(workerData.answers)
parentPort?.postMessage('ready')
for (let round = 0; round < rounds; round++) {
  if (blocking) writeToBuffer(answers, { echo: readFromBuffer(requests, timeoutMs) })
  else
    await writeToBufferAsync(
      answers,
      { echo: await readFromBufferAsync(requests, { timeoutMs }) },
      { timeoutMs },
    )
}
