import { parentPort, workerData } from 'node:worker_threads'
import { type Part, read, write } from './stress.js'

/** A thread that plays one side of a stress test, and says how far it came. */
const { role, part } = workerData as { role: 'write' | 'read'; part: Part }
parentPort?.postMessage(await (role === 'write' ? write : read)(part))
