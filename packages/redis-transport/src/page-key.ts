import { createHash } from 'node:crypto'
import { named } from './argument.js'

declare const pageKeyBrand: unique symbol

/** What {@link pageKey} makes: 43 characters of base64url. A plain string is none for the compiler. */
export type PageKey = string & { readonly [pageKeyBrand]: true }

/**
 * All that a cached page may depend on. What is not in here must not reach the page, or one user
 * gets what was rendered for another.
 */
export interface PageKeyParts {
  /** The path or the name of the route. */
  route: string
  /** The parameters of the query that the page depends on. */
  query?: Record<string, string | string[]>
  /** Whatever else it depends on, by name: request headers, the language, a variant of a test. */
  vary?: Record<string, string | string[]>
  /** The build that rendered it, so that a deployment begins with an empty cache. */
  build?: string | undefined
  /** The host name, where one server answers for several. */
  host?: string | undefined
}

const partNames = new Set(['route', 'query', 'vary', 'build', 'host'])
// 32 bytes in base64url: of the last character only the upper four bits are used.
const shape = /^[\w-]{42}[AEIMQUYcgkosw048]$/

/**
 * The key of a page: SHA-256 over the parts, each with its length before it, so that no two different
 * sets of parts are written alike. The order of names means nothing, the order in a list does.
 * `'a'` and `['a']` are different, for a renderer can tell them apart, and so are absent (or
 * `undefined`) and empty parts. Strings are compared by their UTF-16 units: what looks alike but is
 * composed differently, or broken by a lone surrogate, is different.
 *
 * @throws TypeError naming the part: unknown, of another type, or an object that keeps its values
 * elsewhere than in properties of its own, such as `URLSearchParams`, `Headers` or a `Map`
 */
export function pageKey(parts: PageKeyParts): PageKey {
  for (const name of ownNames('parts', parts))
    if (!partNames.has(name))
      throw new TypeError(`parts.${name} is no part of a page key; these are: ${[...partNames].join(', ')}`)
  const { route, query, vary, build, host } = parts
  const text =
    textOf('route', route) +
    namedValues('query', query) +
    namedValues('vary', vary) +
    (build === undefined ? '-' : textOf('build', build)) +
    (host === undefined ? '-' : textOf('host', host))
  // As UTF-16: in UTF-8 all lone surrogates would become the same bytes.
  return createHash('sha256').update(text, 'utf16le').digest('base64url') as PageKey
}

function textOf(part: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${part} must be a string, not ${named(value)}`)
  return `${value.length}:${value}`
}

function namedValues(part: string, values: unknown): string {
  if (values === undefined) return '-'
  const names = ownNames(part, values).sort()
  let text = `{${names.length}:`
  for (const name of names) {
    const value = (values as Record<string, unknown>)[name]
    const place = `${part}[${JSON.stringify(name)}]`
    text += textOf(place, name)
    if (!Array.isArray(value)) {
      if (typeof value !== 'string')
        throw new TypeError(`${place} must be a string or a list of strings, not ${named(value)}`)
      text += textOf(place, value)
      continue
    }
    text += `[${value.length}:`
    for (let index = 0; index < value.length; index += 1) text += textOf(`${place}[${index}]`, value[index])
  }
  return text
}

/** The names in a plain object: one whose prototype, if any, holds nothing that could be a value. */
function ownNames(part: string, value: unknown): string[] {
  const isPlain =
    typeof value === 'object' &&
    value !== null &&
    Object.prototype.toString.call(value) === '[object Object]' &&
    hasPlainPrototype(value)
  if (!isPlain) throw new TypeError(`${part} must be a plain object, not ${named(value)}`)
  const names = Object.keys(value)
  if (Reflect.ownKeys(value).length !== names.length)
    throw new TypeError(`${part} must have no symbols and no hidden properties`)
  return names
}

function hasPlainPrototype(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  // Parsers of queries make objects whose prototype is an empty object of their own.
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.keys(prototype as object).length === 0)
  )
}

/** Throws unless the key has the shape of a page key: keys cross processes, and lose their type. */
export function checkPageKey(key: PageKey): PageKey {
  if (typeof key !== 'string' || !shape.test(key))
    throw new TypeError(`key must be made by pageKey, not ${named(key)}`)
  return key
}
