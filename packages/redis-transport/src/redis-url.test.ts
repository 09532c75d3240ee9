import { expect, it } from 'vitest'
import { parseRedisUrl } from './redis-url.js'

it.each([
  ['redis://localhost', { host: 'localhost' }],
  ['redis://127.0.0.1:6380/2', { host: '127.0.0.1', port: 6380, db: 2 }],
  ['redis://[::1]:6380/', { host: '::1', port: 6380 }],
  ['redis://:p%40ss%2F@h', { host: 'h', password: 'p@ss/' }],
  ['rediss://me:x@h:1', { host: 'h', port: 1, username: 'me', password: 'x', tls: {} }],
  ['/run/redis.sock', { path: '/run/redis.sock' }],
])('%s is understood', (url, options) => {
  expect(parseRedisUrl(url)).toEqual(options)
})

it.each([
  '',
  'localhost:6379',
  'http://localhost',
  '//localhost',
  'redis://',
  'redis:localhost',
  'redis://h:99999',
  'redis://h:0',
  'redis://h/x',
  'redis://h/1/2',
  'redis://h?maxRetriesPerRequest=null',
  'redis://h#x',
  'redis://%zz@h',
])('%j is a TypeError', url => {
  expect(() => parseRedisUrl(url)).toThrow(TypeError)
})

it.each(['http://me:secret@h', 'redis://me:secret@h/x', 'redis://me:se/cret@h', 'redis://:secret@h:0'])(
  'the error for %s shows no password',
  url => {
    let message = ''
    try {
      parseRedisUrl(url)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toMatch(/^urlOrOptions must be/)
    expect(message).not.toMatch(/cret/)
  },
)
