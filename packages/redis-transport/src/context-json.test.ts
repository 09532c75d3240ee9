import { describe, expect, it } from 'vitest'
import { decodeContext, encodeContext } from './context-json.js'

const cap = 1000
const roundTrip = (value: unknown) => decodeContext(Buffer.from(encodeContext(value, cap)), 'r', cap)

describe('a context', () => {
  it('comes back as it was, whatever JSON can hold', () => {
    const context = {
      route: '/a?b=ü€😀',
      props: { list: [1, -2.5, 'x', true, null, { deep: [[]] }], '': 0, 'a b': {} },
      nothing: Object.create(null),
    }
    expect(roundTrip(context)).toEqual({ ...context, nothing: {} })
    for (const plain of ['text', 0, false, null, [], '\ud800']) expect(roundTrip(plain)).toEqual(plain)
  })

  it('holds what an object says of itself with toJSON, asked once', () => {
    expect(roundTrip({ at: new Date(0) })).toEqual({ at: '1970-01-01T00:00:00.000Z' })
    const itself = {
      a: 1,
      toJSON() {
        return this
      },
    }
    expect(() => encodeContext({ itself }, cap)).toThrow(/a function at context\.itself\.toJSON/)
  })

  it('may use one object in two places', () => {
    const shared = { a: 1 }
    expect(roundTrip({ x: shared, y: [shared] })).toEqual({ x: { a: 1 }, y: [{ a: 1 }] })
  })

  const cycle: Record<string, unknown> = {}
  cycle.self = { back: cycle }
  it.each([
    ['a function', { props: { onClick() {} } }, 'a function at context.props.onClick'],
    ['undefined', { props: [{ a: undefined }] }, 'undefined at context.props[0].a'],
    ['no context at all', undefined, 'undefined at context'],
    ['a hole', { list: new Array(2) }, 'undefined at context.list[0]'],
    ['a symbol', { s: Symbol('x') }, 'a symbol at context.s'],
    ['a symbol for a name', { a: { [Symbol('x')]: 1 } }, 'a property named by a symbol at context.a'],
    ['a BigInt', { 'a-b': 1n }, 'a bigint at context["a-b"]'],
    ['NaN', { n: { x: Number.NaN } }, 'NaN at context.n.x'],
    ['Infinity', [Number.NEGATIVE_INFINITY], '-Infinity at context[0]'],
    ['a Map', { m: new Map([[1, 2]]) }, 'an instance of Map at context.m'],
    ['bytes', { b: new Uint8Array(2) }, 'an instance of Uint8Array at context.b'],
    ['a promise', { p: Promise.resolve() }, 'an instance of Promise at context.p'],
    ['an error', { e: new Error('x') }, 'an instance of Error at context.e'],
    ['a cycle', { cycle }, 'a cycle at context.cycle.self.back'],
    ['undefined from toJSON', { d: { toJSON: () => undefined } }, 'undefined at context.d'],
    [
      '__proto__',
      { p: JSON.parse('{"__proto__":{"admin":true}}') },
      'named __proto__ at context.p.__proto__',
    ],
  ])('that holds %s is refused, and the place is named', (_, context, message) => {
    const pattern = message.replace(/[.[\]]/g, '\\$&')
    expect(() => encodeContext(context, cap)).toThrow(TypeError)
    expect(() => encodeContext(context, cap)).toThrow(new RegExp(`${pattern}$`))
  })

  it('is refused when it nests too deep, not by a stack overflow', () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level += 1) deep = [deep]
    expect(() => encodeContext(deep, 10 ** 7)).toThrow(/deeper than 1000 levels/)
  })

  it('may be exactly as large as the cap, in UTF-8', () => {
    const text = `${'é'.repeat((cap - 2) / 2)}`
    expect(roundTrip(text)).toBe(text)
    expect(() => encodeContext(`${text}a`, cap)).toThrow(
      expect.objectContaining({
        code: 'CONTEXT_TOO_LARGE',
        message: 'Cannot store a context of 1001 bytes: the cap is 1000',
      }),
    )
    expect(() => decodeContext(Buffer.alloc(cap + 1), 'r', cap)).toThrow(
      expect.objectContaining({ code: 'CONTEXT_TOO_LARGE' }),
    )
  })

  it('whose shared parts would be written out without end is refused at once', () => {
    let node: unknown = 'x'
    for (let level = 0; level < 100; level += 1) node = [node, node]
    expect(() => encodeContext(node, 10_000)).toThrow(expect.objectContaining({ code: 'CONTEXT_TOO_LARGE' }))
  })
})

describe('bytes that are no context', () => {
  it.each([
    ['no JSON', Buffer.from('{"a":')],
    ['nothing', Buffer.alloc(0)],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['an object with __proto__', Buffer.from('{"a":{"__proto__":{}}}')],
    ['a __proto__ in disguise', Buffer.from('{"\\u005f_proto__":{}}')],
  ])('%s: an error that says so', (_, bytes) => {
    expect(() => decodeContext(bytes, 'r1', cap)).toThrow(
      expect.objectContaining({
        name: 'RedisTransportError',
        code: 'CONTEXT_CORRUPT',
        cause: expect.any(Error),
      }),
    )
  })

  it('the text "__proto__" in a value is no harm', () => {
    expect(roundTrip({ title: '__proto__' })).toEqual({ title: '__proto__' })
  })
})
