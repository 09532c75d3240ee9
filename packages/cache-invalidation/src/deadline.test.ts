import { stat } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { withDeadline } from './deadline.js'

it('what comes in time is passed on', async () => {
  expect(await withDeadline(Promise.resolve(1), 50)).toBe(1)
  await expect(withDeadline(Promise.reject(new Error('no')), 50)).rejects.toThrow('no')
})

it('what takes too long is an error, and fails later without harm', async () => {
  let fail = (_: Error) => {}
  const late = new Promise((_, reject) => {
    fail = reject
  })
  await expect(withDeadline(late, 10)).rejects.toMatchObject({
    name: 'DeadlineError',
    message: 'nothing came within 10 ms',
  })
  fail(new Error('late'))
  await new Promise(setImmediate)
})

it('an answer that came while the thread was busy is in time', async () => {
  const answer = withDeadline(stat('.'), 20)
  const until = performance.now() + 100
  while (performance.now() < until);
  expect((await answer).isDirectory()).toBe(true)
})
