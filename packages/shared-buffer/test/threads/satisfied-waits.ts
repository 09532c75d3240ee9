import { createSharedBuffer, readFromBufferAsync, writeToBuffer } from '../../src/index.js'
import { measured } from './measured.js'

// Reads a mailbox again and again: mostly the message comes, at times it comes too late.
const [count = '0'] = process.argv.slice(2)
const shared = createSharedBuffer(64)
const { signal } = new AbortController()

async function read(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const late = n % 1000 === 0
    const reading = readFromBufferAsync(shared, { signal, timeoutMs: late ? 1 : Number.POSITIVE_INFINITY })
    if (late) await reading.catch(() => undefined)
    else {
      writeToBuffer(shared, n)
      await reading
    }
  }
}

const growth = await measured(
  () => read(Number(count) / 10),
  () => read(Number(count)),
)
console.log(JSON.stringify(growth))
