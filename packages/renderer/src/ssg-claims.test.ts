import { expect, it } from 'vitest'
import { RouteClaims } from './ssg-claims.js'

const pairs = [
  ['page.html', 'Page.html'],
  ['a/index.html', 'A/index.html'],
  ['caf\u00e9.html', 'cafe\u0301.html'],
  ['\u00c9t\u00e9.html', 'e\u0301te\u0301.html'],
  ['stra\u00dfe.html', 'STRASSE.html'],
  ['a.html', 'A.HTML/b.html'],
  ['A.HTML/b.html', 'a.html'],
] as const

it.each(pairs)('I18: %s and %s are one file where names are folded, and two elsewhere', (one, other) => {
  const folding = new RouteClaims(true)
  folding.claim(one, '/one')
  expect(() => folding.claim(other, '/other')).toThrow('the route /one came first')
  const exact = new RouteClaims(false)
  exact.claim(one, '/one')
  expect(() => exact.claim(other, '/other')).not.toThrow()
})

it('folders are shared, even where names are folded', () => {
  const claims = new RouteClaims(true)
  claims.claim('a/one.html', '/a/one.html')
  expect(() => claims.claim('A/two.html', '/A/two.html')).not.toThrow()
})

it('I18: a claim that fails claims nothing', () => {
  const claims = new RouteClaims(false)
  claims.claim('a.html', '/a.html')
  expect(() => claims.claim('a.html/b/c.html', '/a.html/b/c.html')).toThrow()
  expect(() => claims.claim('a.html/b', '/a.html/b')).toThrow('/a.html came first')
})
