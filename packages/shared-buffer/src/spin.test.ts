import { expect, test, vi } from 'vitest'
import { createSharedBuffer, readFromBuffer, writeToBuffer } from './index.js'

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null] as number[])(
  'a spin of %s is a mistake',
  spin => {
    expect(() => readFromBuffer(createSharedBuffer(10), 0, { spin })).toThrow(
      /^spin must be an integer from 0 on/,
    )
  },
)

test('a message that comes while the reader looks is read without sleeping', () => {
  const shared = createSharedBuffer(10)
  const sleep = vi.spyOn(Atomics, 'wait')
  const { load } = Atomics
  let looks = 0
  const look = vi.spyOn(Atomics, 'load').mockImplementation(((...args: unknown[]) => {
    if (++looks === 50) writeToBuffer(shared, 7)
    return Reflect.apply(load, Atomics, args)
  }) as never)
  expect(readFromBuffer(shared, 1000, { spin: 60 })).toBe(7)
  look.mockRestore()
  expect(sleep).not.toHaveBeenCalled()
  sleep.mockRestore()
})

test('after so many looks it sleeps, and none are made with a time limit of 0', () => {
  const shared = createSharedBuffer(10)
  const look = vi.spyOn(Atomics, 'load')
  const looksOf = (timeoutMs: number, spin: number): number => {
    look.mockClear()
    expect(() => readFromBuffer(shared, timeoutMs, { spin })).toThrow('no message within')
    return look.mock.calls.length
  }
  expect(looksOf(1, 60) - looksOf(1, 0)).toBe(60)
  expect(looksOf(0, 60)).toBe(looksOf(0, 0))
  look.mockRestore()
})
