import { parentPort, workerData } from 'node:worker_threads'
import { fromSharedBuffer, readFromBuffer } from '../../src/index.js'

// Blocks for ever.
parentPort?.postMessage('parked')
readFromBuffer(fromSharedBuffer(workerData), Number.POSITIVE_INFINITY)
