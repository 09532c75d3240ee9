import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkPageKey, type PageKey, type PageKeyParts, pageKey } from './page-key.js'

// Few and nasty characters, so that different parts are often nearly alike.
const text = fc.oneof(
  fc
    .array(
      fc.constantFrom('a', 'b', '1', '2', ':', '[', '{', '-', ',', '\n', '\0', '\ud800', '\udc00', '\ufffd'),
    )
    .map(units => units.join('')),
  fc.constantFrom('', '__proto__', 'constructor', 'toString', '1:a', '1:a1:b', '-', 'ä', 'a\u0308'),
)
const values = fc
  .uniqueArray(fc.tuple(text, fc.oneof(text, fc.array(text, { maxLength: 3 }))), {
    selector: ([name]) => name,
    maxLength: 4,
  })
  .map(entries => Object.fromEntries(entries))
const parts: fc.Arbitrary<PageKeyParts> = fc.record(
  { route: text, query: values, vary: values, build: text, host: text },
  { requiredKeys: ['route'] },
)

/** The same for two sets of parts exactly if they mean the same: JSON with its names in order. */
function meaning({ route, query, vary, build, host }: PageKeyParts): string {
  const sorted = (given: PageKeyParts['query']) =>
    given && Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([route, sorted(query) ?? 0, sorted(vary) ?? 0, build ?? 0, host ?? 0])
}

describe('I1: two pages have the same key exactly if all their parts are the same', () => {
  it('I1: for any two sets of parts', () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        expect(pageKey(one) === pageKey(other)).toBe(meaning(one) === meaning(other))
      }),
      { numRuns: 3000 },
    )
  })

  it('I1: for each of 100 000 sets of parts that are nearly alike', () => {
    const texts = ['', 'a', ':', 'a:', ':a', '1:a', '-']
    const few = ['', 'a', ':']
    const lists = [[], ...texts.map(one => [one]), ...few.flatMap(one => few.map(other => [one, other]))]
    const names = ['', 'a', ':', 'a:']
    const groups: PageKeyParts['query'][] = [undefined, {}]
    for (const name of names) {
      for (const value of [...texts, ...lists]) groups.push({ [name]: value })
      for (const second of names.filter(other => other > name))
        for (const one of few) for (const other of few) groups.push({ [name]: one, [second]: [other, one] })
    }
    const all: PageKeyParts[] = []
    for (const query of groups)
      for (const vary of groups)
        all.push({ route: '/', ...(query ? { query } : {}), ...(vary ? { vary } : {}) })
    for (const build of [undefined, ...texts])
      for (const host of [undefined, ...texts])
        for (const vary of groups) all.push({ route: '/', build, host, ...(vary ? { vary } : {}) })
    const meanings = new Map<string, string>()
    const alike: string[][] = []
    for (const one of all) {
      const key = pageKey(one)
      const meant = meaning(one)
      const before = meanings.get(key) ?? meant
      if (before !== meant) alike.push([before, meant])
      meanings.set(key, meant)
    }
    expect(alike.slice(0, 3)).toEqual([])
    expect(meanings.size).toBe(new Set(all.map(meaning)).size)
  })

  it('I1: the order of names means nothing, the order in a list does', () => {
    fc.assert(
      fc.property(values, given => {
        const backwards = Object.fromEntries(Object.entries(given).reverse())
        expect(pageKey({ route: '/', query: backwards })).toBe(pageKey({ route: '/', query: given }))
      }),
    )
    const key = (x: string[]) => pageKey({ route: '/', query: { x } })
    expect(key(['a', 'b'])).not.toBe(key(['b', 'a']))
  })

  it.each<[string, PageKeyParts, PageKeyParts]>([
    ['a string and a list of it', { route: '/', query: { x: 'a' } }, { route: '/', query: { x: ['a'] } }],
    ['an absent and an empty part', { route: '/' }, { route: '/', build: '' }],
    ['an absent and an empty query', { route: '/' }, { route: '/', query: {} }],
    ['an absent name and an empty list', { route: '/', query: {} }, { route: '/', query: { x: [] } }],
    ['query and vary', { route: '/', query: { x: 'a' } }, { route: '/', vary: { x: 'a' } }],
    ['build and host', { route: '/', build: 'a' }, { route: '/', host: 'a' }],
    ['a name and its value', { route: '/', query: { ab: 'c' } }, { route: '/', query: { a: 'bc' } }],
    ['two lone surrogates', { route: '\ud800' }, { route: '\udc00' }],
    ['a lone surrogate and its replacement', { route: '\ud800' }, { route: '\ufffd' }],
    [
      'a list and two names',
      { route: '/', query: { a: ['1', '1:b'] } },
      { route: '/', query: { a: ['1'], b: '' } },
    ],
    [
      '__proto__ as a name',
      { route: '/', query: JSON.parse('{"__proto__":"a"}') },
      { route: '/', query: JSON.parse('{"__proto__":"b"}') },
    ],
  ])('I1: %s are different', (_, one, other) => {
    expect(pageKey(one)).not.toBe(pageKey(other))
  })
})

describe('a page key', () => {
  it('is the same everywhere and for ever', () => {
    const key = pageKey({
      route: '/a',
      query: { q: ['x', 'y'], page: '2' },
      vary: { lang: 'de' },
      build: '7',
      host: 'h',
    })
    expect(key).toBe('fP1iLfcEeWkLmV2THmuv4MM74Qxvhcja7VYjPD8DqjM')
    expect(pageKey({ route: '/' })).toMatch(/^[\w-]{43}$/)
  })

  it('is made of 1 MB as of one character', () => {
    const large = 'x'.repeat(2 ** 20)
    expect(pageKey({ route: large, query: { [large]: large } })).toHaveLength(43)
  })

  it('takes the objects that parsers of queries make', () => {
    const Parsed = function (this: object) {} as unknown as {
      new (): Record<string, string>
      prototype: object
    }
    Parsed.prototype = Object.create(null)
    const parsed = new Parsed()
    parsed.x = 'a'
    const bare: Record<string, string> = Object.assign(Object.create(null), { x: 'a' })
    expect(pageKey({ route: '/', query: parsed })).toBe(pageKey({ route: '/', query: { x: 'a' } }))
    expect(pageKey({ route: '/', query: bare })).toBe(pageKey({ route: '/', query: { x: 'a' } }))
  })

  it('takes undefined for an absent part', () => {
    expect(pageKey({ route: '/', build: undefined, host: undefined })).toBe(pageKey({ route: '/' }))
  })

  it.each<[unknown, RegExp]>([
    [undefined, /^parts must be a plain object, not undefined/],
    ['/', /^parts must be a plain object, not "\/"/],
    [{}, /^route must be a string, not undefined/],
    [{ route: 5 }, /^route must be a string, not 5/],
    [{ route: '/', user: 'a' }, /^parts\.user is no part of a page key/],
    [JSON.parse('{"route":"/","__proto__":"x"}'), /^parts\.__proto__ is no part/],
    [{ route: '/', build: null }, /^build must be a string, not null/],
    [{ route: '/', host: 1n }, /^host must be a string, not 1/],
    [{ route: '/', query: null }, /^query must be a plain object, not null/],
    [{ route: '/', query: 'a=1' }, /^query must be a plain object, not "a=1"/],
    [{ route: '/', query: [] }, /^query must be a plain object, not a list/],
    [{ route: '/', query: new URLSearchParams('a=1') }, /not an URLSearchParams/],
    [{ route: '/', vary: new Headers({ a: '1' }) }, /^vary must be a plain object, not an Headers/],
    [{ route: '/', vary: new Map([['a', '1']]) }, /^vary must be a plain object, not an Map/],
    [{ route: '/', query: Object.create({ a: '1' }) }, /^query must be a plain object/],
    [{ route: '/', query: { [Symbol('a')]: '1' } }, /^query must have no symbols/],
    [{ route: '/', query: Object.defineProperty({}, 'a', { value: '1' }) }, /no hidden properties/],
    [{ route: '/', query: { page: 2 } }, /^query\["page"\] must be a string or a list of strings, not 2/],
    [{ route: '/', query: { a: { b: '1' } } }, /^query\["a"\] must be a string or a list/],
    [{ route: '/', vary: { lang: undefined } }, /^vary\["lang"\] must be .*, not undefined/],
    [{ route: '/', query: { a: ['x', undefined] } }, /^query\["a"\]\[1\] must be a string, not undefined/],
    [{ route: '/', query: { a: new Array(1) } }, /^query\["a"\]\[0\] must be a string/],
    [{ route: '/', query: { a: [['x']] } }, /^query\["a"\]\[0\] must be a string, not a list/],
  ])('is not made of %o', (given, message) => {
    expect(() => pageKey(given as PageKeyParts)).toThrow(TypeError)
    expect(() => pageKey(given as PageKeyParts)).toThrow(message)
  })
})

describe('what is taken for a page key', () => {
  it('is what pageKey makes', () => {
    fc.assert(
      fc.property(parts, given => {
        expect(checkPageKey(pageKey(given))).toBe(pageKey(given))
      }),
    )
  })

  it.each([
    '',
    'html:/',
    '/search?q=a',
    '__proto__',
    'a\nb',
    '\0\ud800',
    'x'.repeat(2 ** 20),
    'A'.repeat(42),
    'A'.repeat(44),
    `${'A'.repeat(42)}B`,
    `${'A'.repeat(43)}\n`,
    `{${'A'.repeat(41)}}`,
    undefined,
    null,
    5,
    ['A'.repeat(43)],
    Buffer.from('A'.repeat(43)),
  ])('is not this, case %$', key => {
    expect(() => checkPageKey(key as PageKey)).toThrow(TypeError)
    expect(() => checkPageKey(key as PageKey)).toThrow(/^key must be made by pageKey, not .{1,60}$/s)
  })
})
