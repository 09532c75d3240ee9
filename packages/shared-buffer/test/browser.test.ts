import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { launchChromium } from '@scratchyjs/tooling/chromium'
import { expect, inject, onTestFinished, test } from 'vitest'

/** Serves the compiled sources, and an empty page beside them. */
async function serve(headers: Record<string, string>): Promise<string> {
  const server: Server = createServer(async ({ url = '/' }, response) => {
    const script = url.endsWith('.js')
    const body = script
      ? await readFile(join(inject('compiled'), url)).catch(() => undefined)
      : '<!doctype html>'
    response.writeHead(body === undefined ? 404 : 200, {
      'content-type': script ? 'text/javascript' : 'text/html',
      ...headers,
    })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** What the code, the body of an async function, answers in a page of that server. */
async function runInPage(url: string, code: string): Promise<unknown> {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.goto(url)
    return await page.evaluate(`(async () => { ${code} })()`)
  } finally {
    await browser.close()
  }
}

const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

test('a page and its worker exchange messages, slots and a lock, and the page never blocks', async () => {
  const url = await serve(isolated)
  const answer = await runInPage(
    url,
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
  expect(await runInPage(await serve({}), code)).toMatch(/^UNSUPPORTED: .*cross-origin isolated$/)
}, 60_000)
