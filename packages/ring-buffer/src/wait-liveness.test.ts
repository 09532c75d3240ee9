import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { SharedRingBuffer } from './index.js'

/** Timers that hold the event loop open. */
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

test('I11: an asynchronous wait holds the event loop open, with a time limit or without, and then no longer', async () => {
  for (const options of [{}, { timeoutMs: 60_000 }]) {
    const ring = new SharedRingBuffer(4)
    const before = timers()
    const waiting = ring.waitReadableAsync(1, options)
    expect(timers()).toBe(before + 1)
    ring.write(new Uint8Array(1))
    await waiting
    expect(timers()).toBe(before)
  }
})

test('I11: however it ends, a wait leaves no listener on its signal', async () => {
  const ring = new SharedRingBuffer(4)
  const { signal } = new AbortController()
  const waits = [1, 2].map(n => ring.waitReadableAsync(n, { signal, timeoutMs: 5 }))
  expect(getEventListeners(signal, 'abort')).toHaveLength(2)
  ring.write(new Uint8Array(1))
  expect(await Promise.all(waits)).toEqual([true, false])
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
