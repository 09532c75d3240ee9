import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import {
  createSharedBuffer,
  createSharedBufferPool,
  readFromBufferAsync,
  SharedMutex,
  writeToBuffer,
  writeToBufferAsync,
} from '../../src/index.js'

// A process with nothing to do but wait. Which wait, and how it ends, are its arguments.
const [waiting = '', ending = ''] = process.argv.slice(2)
const timeoutMs = Number.POSITIVE_INFINITY
const controller = new AbortController()
const options = { timeoutMs, signal: controller.signal }

/** The wait, and what ends it well. */
function begin(): [Promise<unknown>, () => void] {
  const shared = createSharedBuffer(100)
  if (waiting === 'read')
    return [readFromBufferAsync(shared, options), () => writeToBuffer(shared, 'message')]
  if (waiting === 'write') {
    writeToBuffer(shared, 'unread')
    return [writeToBufferAsync(shared, 'next', options), () => readFromBufferAsync(shared)]
  }
  if (waiting === 'lock') {
    const mutex = new SharedMutex()
    mutex.lock()
    return [new SharedMutex(mutex.buffer).lockAsync(options), () => mutex.unlock()]
  }
  const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
  const lease = pool.acquire()
  return [pool.acquireAsync(options), () => lease?.release()]
}

if (ending === 'thread' && isMainThread) {
  // The same in a worker thread, which nothing else keeps alive.
  const worker = new Worker(new URL(import.meta.url), { argv: [waiting, 'end'] })
  worker.on('message', text => console.log(text))
  worker.on('exit', code => console.log(`thread exit ${code}`))
} else {
  const say = (text: string) => (parentPort ? parentPort.postMessage(text) : console.log(text))
  const [wait, end] = begin()
  // Unreferenced: without the wait there would be no process when it comes.
  setTimeout(ending === 'abort' ? () => controller.abort(new Error('aborted')) : end, 200).unref()
  wait.then(
    () => say('done'),
    error => say(error.message),
  )
}
