import { isolation, runInPage } from '@scratchyjs/tooling/chromium'
import { expect, inject, test } from 'vitest'

test('a page and its worker exchange messages, slots and a lock, and the page never blocks', async () => {
  const answer = await runInPage(
    inject('compiled'),
    isolation,
    `
    const { createSharedBuffer, createSharedBufferPool, readFromBuffer, readFromBufferAsync, SharedMutex,
      writeToBuffer, writeToBufferAsync } = await import('/src/index.js')
    const requests = createSharedBuffer(1000)
    const pool = createSharedBufferPool({ slots: 2, slotSize: 1000 })
    const mutex = new SharedMutex()
    const worker = new Worker('/test/threads/browser-worker.js', { type: 'module' })
    const finished = new Promise((resolve, reject) => {
      worker.onmessage = event => resolve(event.data)
      worker.onerror = event => reject(new Error(event.message))
    })
    worker.postMessage({ requests: requests.buffer, pool: pool.buffer, lock: mutex.buffer })

    const refused = call => { try { call() } catch (error) { return error.code } }
    const blockingRead = refused(() => readFromBuffer(requests, 10))
    mutex.tryLock()
    const blockingLock = refused(() => new SharedMutex(mutex.buffer).lock(10))

    const lease = await pool.acquireAsync()
    await writeToBufferAsync(requests, { index: lease.index, generation: lease.generation, text: 'grüße 😀' })
    const answer = readFromBufferAsync(lease.mailbox)
    mutex.unlock()
    const text = await answer
    await mutex.run(() => undefined)
    const result = { blockingRead, blockingLock, text, finished: await finished }
    lease.release()
    worker.terminate()
    return result
    `,
  )
  expect(answer).toEqual({
    blockingRead: 'BLOCKING_FORBIDDEN',
    blockingLock: 'BLOCKING_FORBIDDEN',
    text: 'GRÜSSE 😀',
    finished: true,
  })
}, 60_000)

test('a page that is not cross-origin isolated gets a clear error', async () => {
  const code = `
    const { createSharedBuffer } = await import('/src/index.js')
    try { createSharedBuffer(10) } catch (error) { return error.code + ': ' + error.message }`
  expect(await runInPage(inject('compiled'), {}, code)).toMatch(/^UNSUPPORTED: .*cross-origin isolated$/)
}, 60_000)
