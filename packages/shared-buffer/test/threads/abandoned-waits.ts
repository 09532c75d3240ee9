import { createSharedBuffer, readFromBufferAsync, SharedMutex } from '../../src/index.js'
import { measured } from './measured.js'

// Begins and aborts waits, and prints by how much memory grew in the second half.
const [where, count = '0'] = process.argv.slice(2)
const one = createSharedBuffer(16)
const mutex = new SharedMutex()
mutex.lock()

function begin(options: { timeoutMs: number; signal: AbortSignal }): Promise<unknown> {
  if (where === 'one mailbox') return readFromBufferAsync(one, options)
  if (where === 'many mailboxes') return readFromBufferAsync(createSharedBuffer(16), options)
  return mutex.lockAsync(options)
}

async function abandon(): Promise<void> {
  for (let batch = 0; batch < Number(count) / 2; batch += 1000) {
    const controller = new AbortController()
    const options = { timeoutMs: Number.POSITIVE_INFINITY, signal: controller.signal }
    const settled = Promise.allSettled(Array.from({ length: 1000 }, () => begin(options)))
    controller.abort()
    await settled
    await new Promise(resolve => setImmediate(resolve))
  }
}

console.log(JSON.stringify(await measured(abandon, abandon)))
