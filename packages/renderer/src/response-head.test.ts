import { expect, it } from 'vitest'
import { ResponseHeadBuilder } from './response-head.js'

it('collects a status and headers, and is undefined where nothing was set', () => {
  expect(new ResponseHeadBuilder()).toMatchObject({ statusCode: undefined, headers: undefined })
  const head = new ResponseHeadBuilder()
    .status(404)
    .header('X-A', 1)
    .header('x-a', 'two')
    .header('Vary', ['a', 'b'])
  expect(head.statusCode).toBe(404)
  expect({ ...head.headers }).toEqual({ 'x-a': 'two', vary: ['a', 'b'] })
})

it('adds to set-cookie', () => {
  const head = new ResponseHeadBuilder().header('set-cookie', 'a').header('Set-Cookie', ['b', 'c'])
  expect({ ...head.headers }).toEqual({ 'set-cookie': ['a', 'b', 'c'] })
})

it('I9: refuses what HTTP does not allow', () => {
  const head = new ResponseHeadBuilder()
  for (const code of [99, 100, 600, 1.5, Number.NaN, '200']) {
    expect(() => head.status(code as number)).toThrow(RangeError)
  }
  expect(() => head.header('a b', 'x')).toThrow(TypeError)
  expect(() => head.header('x', 'a\nb')).toThrow(TypeError)
  for (const name of ['Content-Length', 'transfer-encoding', 'Connection']) {
    expect(() => head.header(name, 'x')).toThrow(/the server sets it/)
  }
  expect({ ...head.headers, __proto__: undefined }).toEqual({})
})
