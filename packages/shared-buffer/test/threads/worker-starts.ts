import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createSharedBufferPool, readFromBuffer, writeToBuffer } from '../../src/index.js'
import { measured } from './measured.js'

// Starts a worker again and again, two at a time, on one pool; every other one is ended with the slot in its hands.
const [count = '0'] = process.argv.slice(2)
const pool = createSharedBufferPool({ slots: 2, slotSize: 1000 })

async function startOne(hang: boolean): Promise<void> {
  const lease = await pool.acquireAsync()
  if (lease === undefined) throw new Error('no slot')
  const worker = new Worker(new URL('./slot-worker.js', import.meta.url), { workerData: pool.buffer })
  const exit = once(worker, 'exit')
  writeToBuffer(lease.mailbox, 'abc')
  worker.postMessage({ index: lease.index, generation: lease.generation, hang })
  const [answer] = await once(worker, 'message')
  if (answer !== (hang ? 'hanging' : 'done')) throw new Error(`the worker said ${answer}`)
  if (hang) lease.quarantine(exit)
  else if (readFromBuffer(lease.mailbox, 0) === 'cba') lease.release()
  await worker.terminate()
  await exit
}

async function start(times: number): Promise<void> {
  let left = times
  const next = async () => {
    while (left-- > 0) await startOne(left % 2 === 0)
  }
  await Promise.all([next(), next()])
}

const growth = await measured(
  () => start(Number(count) / 5),
  () => start(Number(count)),
)
console.log(JSON.stringify({ ...growth, pool: pool.stats() }))
