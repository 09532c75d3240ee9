import { createSharedBuffer, readFromBufferAsync, SharedMutex } from '../../src/index.js'

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

async function abandon(waits: number): Promise<void> {
  for (let batch = 0; batch < waits; batch += 1000) {
    const controller = new AbortController()
    const options = { timeoutMs: Number.POSITIVE_INFINITY, signal: controller.signal }
    const settled = Promise.allSettled(Array.from({ length: 1000 }, () => begin(options)))
    controller.abort()
    await settled
    await new Promise(resolve => setImmediate(resolve))
  }
}

function measure(): { heapUsed: number; rss: number } {
  for (let round = 0; round < 3; round++) globalThis.gc?.()
  return process.memoryUsage()
}

await abandon(Number(count) / 2)
const before = measure()
await abandon(Number(count) / 2)
const after = measure()
const mib = (bytes: number) => bytes / 2 ** 20
console.log(
  JSON.stringify({
    heapMiB: mib(after.heapUsed - before.heapUsed),
    rssMiB: mib(after.rss - before.rss),
    timers: process.getActiveResourcesInfo().filter(name => name === 'Timeout').length,
  }),
)
