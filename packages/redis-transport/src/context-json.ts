import { RedisTransportError } from './error.js'

const maxDepth = 1000
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * JSON.stringify drops functions and undefined, turns NaN into null and a Map into {}: a page
 * would render with holes. This refuses them instead, and says where they are.
 */
class JsonCheck {
  readonly #path: (string | number)[] = []
  readonly #ancestors = new Set<object>()
  readonly #maxBytes: number
  // A lower bound of the encoded size. It also ends the walk of a graph whose shared parts would
  // be written out again and again.
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  check(given: unknown): void {
    // Once, as JSON.stringify does: what toJSON returns is taken as it is.
    const value = hasToJson(given) ? given.toJSON(String(this.#path.at(-1) ?? '')) : given
    switch (typeof value) {
      case 'string':
        this.#grow(value.length + 2)
        break
      case 'boolean':
        this.#grow(4)
        break
      case 'number':
        if (!Number.isFinite(value)) this.#refuse(String(value))
        this.#grow(1)
        break
      case 'object':
        if (value) this.#checkObject(value)
        else this.#grow(4)
        break
      default:
        this.#refuse(typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`)
    }
  }

  #checkObject(value: object): void {
    if (this.#ancestors.has(value)) this.#refuse('a cycle')
    if (this.#path.length >= maxDepth)
      throw new RangeError(`Cannot store the context: it nests deeper than ${maxDepth} levels`)
    this.#ancestors.add(value)
    this.#grow(2)
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) this.#descend(index, value[index])
    } else {
      this.#checkProperties(value)
    }
    this.#ancestors.delete(value)
  }

  #checkProperties(value: object): void {
    const tag = Object.prototype.toString.call(value).slice(8, -1)
    if (tag !== 'Object') this.#refuse(`an instance of ${tag}`)
    if (
      Object.getOwnPropertySymbols(value).some(key => Object.prototype.propertyIsEnumerable.call(value, key))
    )
      this.#refuse('a property named by a symbol')
    for (const [name, property] of Object.entries(value)) {
      this.#grow(name.length + 3)
      this.#descend(name, property)
    }
  }

  #descend(name: string | number, value: unknown): void {
    this.#path.push(name)
    if (name === '__proto__') this.#refuse('a property named __proto__')
    this.check(value)
    this.#path.pop()
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#maxBytes) throw tooLarge('store', `more than ${this.#maxBytes}`, this.#maxBytes)
  }

  #refuse(found: string): never {
    const place = this.#path.map(part =>
      typeof part === 'string' && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(part)
        ? `.${part}`
        : `[${JSON.stringify(part)}]`,
    )
    throw new TypeError(`Cannot store the context: JSON can't hold ${found} at context${place.join('')}`)
  }
}

function hasToJson(value: unknown): value is { toJSON(name: string): unknown } {
  return (
    typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
  )
}

function tooLarge(action: string, bytes: number | string, maxBytes: number): RedisTransportError {
  return new RedisTransportError(
    'CONTEXT_TOO_LARGE',
    `Cannot ${action} a context of ${bytes} bytes: the cap is ${maxBytes}`,
  )
}

/** The context as JSON. Throws `TypeError` with the path of what JSON can't hold. */
export function encodeContext(context: unknown, maxBytes: number): string {
  new JsonCheck(maxBytes).check(context)
  const json = JSON.stringify(context)
  const bytes = Buffer.byteLength(json)
  if (bytes > maxBytes) throw tooLarge('store', bytes, maxBytes)
  return json
}

/** The context in the bytes that Redis held; the size is checked before they are parsed. */
export function decodeContext(bytes: Uint8Array, requestId: string, maxBytes: number): unknown {
  if (bytes.byteLength > maxBytes) throw tooLarge('read', bytes.byteLength, maxBytes)
  try {
    return parseContext(utf8.decode(bytes))
  } catch (cause) {
    throw new RedisTransportError(
      'CONTEXT_CORRUPT',
      `Cannot read the context of request ${requestId}: Redis holds no JSON that this package stored`,
      { cause },
    )
  }
}

/** The context in its JSON; a `SyntaxError` for what `encodeContext` never writes. */
export function parseContext(json: string): unknown {
  // Merged into another object, an own "__proto__" would become its prototype.
  return /__proto__|\\u005f/i.test(json) ? JSON.parse(json, refusePrototype) : JSON.parse(json)
}

function refusePrototype(name: string, value: unknown): unknown {
  if (name === '__proto__') throw new SyntaxError('a property named __proto__')
  return value
}
