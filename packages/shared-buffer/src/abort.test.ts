import { getEventListeners } from 'node:events'
import { expect, test, vi } from 'vitest'
import { listenToAbort } from './abort.js'

test('any number of calls is one listener, and every call is made', () => {
  const controller = new AbortController()
  const calls = Array.from({ length: 20 }, () => vi.fn())
  for (const call of calls) listenToAbort(controller.signal, call)
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  controller.abort()
  for (const call of calls) expect(call).toHaveBeenCalledTimes(1)
})

test('I8: the listener goes with the last call, and comes back with the next', () => {
  const controller = new AbortController()
  const kept = vi.fn()
  const takeBack = [vi.fn(), vi.fn()].map(call => listenToAbort(controller.signal, call))
  for (const take of takeBack) take()
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  const last = listenToAbort(controller.signal, kept)
  for (const take of takeBack) take()
  controller.abort()
  expect(kept).toHaveBeenCalledTimes(1)
  last()
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
})

test('a call that was taken back is not made, even when another call takes it back during the abort', () => {
  const controller = new AbortController()
  const never = vi.fn()
  let takeBack = () => {}
  listenToAbort(controller.signal, () => takeBack())
  takeBack = listenToAbort(controller.signal, never)
  controller.abort()
  expect(never).not.toHaveBeenCalled()
})
