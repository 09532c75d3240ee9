/** What one access of a thread to shared memory is, and what it does there. */
export interface Request {
  readonly op: Operation
  /** How the bytes are read: the constructor of the view that was used. */
  readonly kind: ElementKind
  readonly byte: number
  /** How many bytes are touched from `byte` on. */
  readonly bytes: number
  /** What follows the index in a call of `Atomics`; the value of a `put`; bytes as Latin-1 of a `putBlock`. */
  readonly args: readonly (number | bigint | string | undefined)[]
}

export type ElementKind = 'Uint8Array' | 'Int32Array' | 'Float64Array'

/** `get` and `put` are plain accesses to an element, `now` is a look at the clock, the rest are of `Atomics`. */
export type Operation = MemoryOperation | 'wait' | 'waitAsync' | 'notify' | 'now'
type MemoryOperation = AtomicOperation | 'get' | 'put' | 'getBlock' | 'putBlock'
export type AtomicOperation = (typeof ATOMIC_OPERATIONS)[number]

export const ATOMIC_OPERATIONS = [
  'load',
  'store',
  'exchange',
  'compareExchange',
  'add',
  'sub',
  'and',
  'or',
  'xor',
] as const

/** What a thread is told; blocks of bytes are Latin-1, so that every answer can be the key of a map. */
export type Answer = number | string | undefined

/** The real ones: the global names mean something else during an exploration. */
const atomics = Object.fromEntries(ATOMIC_OPERATIONS.map(name => [name, Atomics[name]])) as unknown as Record<
  AtomicOperation,
  (...args: unknown[]) => number
>
const views = { Uint8Array, Int32Array, Float64Array }

/** One content of the shared memory. Equal contents are one object. */
export interface Memory {
  readonly id: number
  readonly bytes: Buffer<ArrayBuffer>
}

/** All contents that an exploration has met. */
export class Memories {
  readonly #known = new Map<string, Memory>()

  intern(bytes: Buffer<ArrayBuffer>): Memory {
    const text = bytes.toString('latin1')
    let memory = this.#known.get(text)
    if (memory === undefined) {
      memory = { id: this.#known.size, bytes }
      this.#known.set(text, memory)
    }
    return memory
  }

  /** Does a request that only concerns memory. */
  perform(request: Request, before: Memory): { answer: Answer; memory: Memory } {
    const { op, kind, byte, bytes, args } = request
    if (op === 'getBlock')
      return { answer: before.bytes.toString('latin1', byte, byte + bytes), memory: before }
    const changed = isWrite(request) ? copyOf(before.bytes) : before.bytes
    if (op === 'putBlock') {
      changed.write(String(args[0]), byte, 'latin1')
      return { answer: undefined, memory: this.intern(changed) }
    }
    const view = new views[kind](changed.buffer, changed.byteOffset + byte, 1)
    let answer: Answer
    if (op === 'get') answer = view[0]
    else if (op === 'put') view[0] = Number(args[0])
    else answer = atomics[op as AtomicOperation](view, 0, ...args)
    return { answer, memory: changed === before.bytes ? before : this.intern(changed) }
  }
}

/** On memory of its own, so that views of elements are aligned. */
function copyOf(bytes: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> {
  return Buffer.from(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

export function isWrite({ op }: Request): boolean {
  return !(op === 'load' || op === 'get' || op === 'getBlock' || op === 'wait' || op === 'waitAsync')
}

/** Whether the order of two accesses that could come next is not fixed by anything, and matters (a data race). */
export function race(one: Request, other: Request): boolean {
  if (one.byte >= other.byte + other.bytes || other.byte >= one.byte + one.bytes) return false
  if (!(touches(one) && touches(other))) return false
  if (!(isWrite(one) || isWrite(other))) return false
  return isPlain(one) || isPlain(other) || one.byte !== other.byte || one.bytes !== other.bytes
}

function touches({ op }: Request): boolean {
  return op !== 'notify' && op !== 'now'
}

/** Without `Atomics`. */
export function isPlain({ op }: Request): boolean {
  return op === 'get' || op === 'put' || op === 'getBlock' || op === 'putBlock'
}
