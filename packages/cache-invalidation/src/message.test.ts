import { describe, expect, it } from 'vitest'
import {
  decodeMessage,
  encodeKeys,
  FLUSH_MEMBERS,
  keyMembers,
  MAX_KEY_BYTES,
  MAX_MESSAGE_BYTES,
} from './message.js'

describe('keys to publish', () => {
  it('are sent as they are, whatever characters they have', () => {
    const keys = ['a', ' ', '"\\\n', 'ü€😀', '__proto__', '{"id":"x"}', 'x'.repeat(MAX_KEY_BYTES)]
    const { json, bytes } = encodeKeys(keys)
    expect(JSON.parse(`{${keyMembers(json)}}`)).toEqual({ keys })
    expect(Buffer.byteLength(json.join()) + 1).toBe(bytes)
  })

  it.each<[string, unknown, RegExp]>([
    ['no array', 'a', /keys must be an array of strings, not string/],
    ['nothing', undefined, /keys must be an array of strings, not undefined/],
    ['no key', [], /at least one key/],
    ['an empty key', ['a', ''], /keys\[1\] must be a non-empty string, not ""/],
    ['a number', [7], /keys\[0\] must be a non-empty string, not number/],
    ['a hole', new Array(1), /keys\[0\] must be a non-empty string, not undefined/],
  ])('%s: a TypeError', (_, keys, message) => {
    expect(() => encodeKeys(keys as string[])).toThrow(TypeError)
    expect(() => encodeKeys(keys as string[])).toThrow(message)
  })

  it('too large: a RangeError', () => {
    const longest = 'é'.repeat(MAX_KEY_BYTES / 2)
    expect(() => encodeKeys([`${longest}a`])).toThrow(RangeError)
    expect(() => encodeKeys([`${longest}a`])).toThrow('keys[0] has 8193 bytes: the longest key has 8192')
    const many = Array.from({ length: MAX_MESSAGE_BYTES / MAX_KEY_BYTES }, () => longest)
    expect(() => encodeKeys(many)).toThrow(/keys \(128\) make a message of more than 1048576 bytes/)
    // 1 byte each, 6 as JSON
    expect(() => encodeKeys(Array.from({ length: 30 }, () => '\u0001'.repeat(8000)))).toThrow(RangeError)
    expect(() => encodeKeys(many.slice(2))).not.toThrow()
  })
})

describe('a message', () => {
  const entry = { epoch: 'e', sequence: 7, id: 'i' }

  it('of anyone needs keys only', () => {
    expect(decodeMessage(Buffer.from('{"keys":["a","__proto__"]}'))).toEqual({ keys: ['a', '__proto__'] })
    expect(decodeMessage('{"keys":["a"],"from":"cms"}')).toEqual({ keys: ['a'] })
  })

  it('of the log has its place', () => {
    expect(decodeMessage(JSON.stringify({ keys: ['a'], ...entry, at: 5 }))).toEqual({ keys: ['a'], entry })
  })

  it('may say that everything is stale', () => {
    expect(decodeMessage(`{${FLUSH_MEMBERS}}`)).toEqual({ keys: [], flush: true })
    expect(decodeMessage(JSON.stringify({ keys: [], flush: true, ...entry }))).toEqual({
      keys: [],
      flush: true,
      entry,
    })
    expect(decodeMessage('{"keys":["a"],"flush":true}')).toEqual({ keys: [], flush: true })
    expect(decodeMessage('{"keys":["a"],"flush":"no"}')).toEqual({ keys: ['a'] })
  })

  it.each([
    ['no keys, and a flush that is none', '{"keys":[],"flush":1}'],
    ['no JSON', '{"keys":["a"]'],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '["a"]'],
    ['no keys', '{}'],
    ['an empty list', '{"keys":[]}'],
    ['a string of keys', '{"keys":"a"}'],
    ['a number among the keys', '{"keys":["a",1]}'],
    ['an empty key', '{"keys":[""]}'],
    ['a huge key', JSON.stringify({ keys: ['x'.repeat(MAX_KEY_BYTES + 1)] })],
    ['__proto__', '{"keys":["a"],"__proto__":{"x":1}}'],
    ['constructor', '{"keys":["a"],"constructor":1}'],
    ['a __proto__ in disguise', '{"keys":["a"],"\\u005f_proto__":{}}'],
    ['a number without an epoch', '{"keys":["a"],"sequence":1,"id":"i"}'],
    ['an epoch without a number', '{"keys":["a"],"epoch":"e","id":"i"}'],
    ['an empty epoch', '{"keys":["a"],"epoch":"","sequence":1,"id":"i"}'],
    ['number 0', '{"keys":["a"],"epoch":"e","sequence":0,"id":"i"}'],
    ['half a number', '{"keys":["a"],"epoch":"e","sequence":1.5,"id":"i"}'],
    ['no id', '{"keys":["a"],"epoch":"e","sequence":1}'],
    ['10 MB', JSON.stringify({ keys: ['a'], more: 'x'.repeat(10_000_000) })],
    ['deep nesting', '['.repeat(500_000)],
  ])('with %s is malformed', (_, text) => {
    for (const bytes of [text, Buffer.from(text)])
      expect(() => decodeMessage(bytes)).toThrow(
        expect.objectContaining({ name: 'CacheInvalidationError', code: 'MALFORMED_MESSAGE' }),
      )
  })

  it('that is too large is not parsed', () => {
    expect(() => decodeMessage(Buffer.alloc(MAX_MESSAGE_BYTES + 1, ' '))).toThrow(
      'it has 1048577 bytes, at most 1048576 are read',
    )
  })
})
