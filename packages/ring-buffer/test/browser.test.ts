import { join } from 'node:path'
import { isolation, runInPage } from '@scratchyjs/tooling/chromium'
import { expect, inject, test } from 'vitest'

const scripts = join(inject('folder'), 'node_modules/@scratchyjs/ring-buffer')

test('I3, I7, I15, I18: a page that never blocks and workers that do carry everything both ways, across 2^32', async () => {
  const answer = await runInPage(
    scripts,
    isolation,
    `
    const page = await import('/test/threads/browser-page.js')
    return {
      bytes: await page.carryBytes(300_000),
      messages: await page.carryMessages(12_000),
      streams: await page.carryStreams(300_000),
      failAndCancel: await page.failAndCancel(),
      losePeer: await page.losePeer(),
      blockHere: page.blockHere(),
    }
    `,
  )
  expect(answer).toEqual({
    bytes: 'done',
    messages: ['done', 12_000],
    streams: ['done', 300_000, true],
    failAndCancel: [
      ['TypeError', 'boom', 'EBOOM'],
      ['CANCELLED', 'enough'],
    ],
    losePeer: [3, 'PEER_GONE'],
    blockHere: Array(6).fill('WAIT_NOT_ALLOWED'),
  })
}, 60_000)

test('a page that is not cross-origin isolated gets a clear error', async () => {
  const code = `
    const { createRingChannel, SharedRingBuffer } = await import('/src/index.js')
    return [() => new SharedRingBuffer(10), () => createRingChannel({ capacity: 10 })].map(call => {
      try { return call() } catch (error) { return error.name + ' ' + error.code + ': ' + error.message }
    })`
  const error = expect.stringMatching(/^RingBufferError UNSUPPORTED: .*cross-origin isolated$/)
  expect(await runInPage(scripts, {}, code)).toEqual([error, error])
}, 60_000)
