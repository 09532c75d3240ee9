import { workerData } from 'node:worker_threads'
import { failBuffer, fromSharedBuffer } from '../../src/index.js'

const error = Object.assign(new RangeError('the render failed'), { code: 'E_RENDER' })
failBuffer(fromSharedBuffer(workerData), error)
