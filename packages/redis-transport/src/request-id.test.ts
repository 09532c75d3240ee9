import { expect, it } from 'vitest'
import { createRequestId, renderContextKey } from './request-id.js'

it('request ids differ, and later ones sort behind earlier ones', async () => {
  const ids = new Set(Array.from({ length: 1000 }, createRequestId))
  expect(ids.size).toBe(1000)
  const last = [...ids].pop() as string
  expect(last).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/)
  await new Promise(resolve => setTimeout(resolve, 5))
  expect(createRequestId() > last).toBe(true)
})

it('any id of 1 to 256 characters makes a key', () => {
  for (const id of ['a', 'x'.repeat(256), 'ü/{}: "', createRequestId()])
    expect(renderContextKey(id)).toBe(`render:${id}`)
})

it.each([
  ['an empty id', '', /1 to 256 characters, not 0/],
  ['a huge id', 'x'.repeat(257), /1 to 256 characters, not 257/],
  ['a newline', 'a\nb', /no control characters: "a\\nb"/],
  ['a NUL', 'a\0', /no control characters/],
  ['an escape of the C1 range', 'a\u0085b', /no control characters/],
  ['a number', 7, /must be a string, not number/],
  ['null', null, /must be a string, not null/],
  ['an object with toString', { toString: () => 'x' }, /must be a string, not object/],
])('%s is refused', (_, id, message) => {
  expect(() => renderContextKey(id as string)).toThrow(TypeError)
  expect(() => renderContextKey(id as string)).toThrow(message)
})
