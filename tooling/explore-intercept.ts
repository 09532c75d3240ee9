import {
  ATOMIC_OPERATIONS,
  type AtomicOperation,
  type ElementKind,
  type Operation,
  type Request,
} from './explore-memory.js'
import { currentRun, type Run, runOn, type View } from './explore-run.js'

type Call = (...args: never[]) => unknown

/** Copies of more bytes than this are two accesses instead of one for each byte. */
const BYTE_BY_BYTE = 16

const views = new WeakMap<object, { run: Run; view: View }>()

/** A view through which every element is an access. */
function watched(run: Run, view: View): View {
  const proxy = new Proxy(view, {
    get(target, key) {
      const index = indexOf(key)
      if (index === undefined) return memberOf(run, target, proxy, key)
      if (!has(target, index)) return undefined
      return run.controls ? run.access('get', { view: target, index }, []) : target[index]
    },
    set(target, key, value) {
      const index = indexOf(key)
      if (index === undefined) return Reflect.set(target, key, value, target)
      if (!run.controls) throw new Error('a thread must not write before it acts')
      if (has(target, index)) run.access('put', { view: target, index }, [Number(value)])
      return true
    },
  })
  views.set(proxy, { run, view })
  return proxy
}

/** What isn't there is ignored by views, and reads as undefined. */
function has({ length }: View, index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < length
}

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as Record<string, Call>
for (const name of ['set', 'slice', 'subarray']) {
  const original = prototype[name] as Call
  // For good: the code under test may have looked the method up before it is explored.
  prototype[name] = function (this: object, ...args: never[]): unknown {
    if (!views.has(this)) return Reflect.apply(original, this, args)
    const own = Reflect.get(this, name) as Call
    return own(...args)
  }
}

function indexOf(key: string | symbol): number | undefined {
  if (typeof key === 'symbol') return undefined
  const index = Number(key)
  return Number.isNaN(index) ? undefined : index
}

/** Methods that work on whatever has elements and a length. */
const GENERIC = [
  'at',
  'copyWithin',
  'entries',
  'every',
  'fill',
  'find',
  'forEach',
  'includes',
  'indexOf',
] as const
const MORE = ['join', 'keys', 'reduce', 'some', 'values', Symbol.iterator] as const
const generic = new Set<string | symbol>([...GENERIC, ...MORE])

function memberOf(run: Run, view: View, proxy: View, key: string | symbol): unknown {
  if (generic.has(key)) return (Array.prototype as unknown as Record<string | symbol, unknown>)[key]
  switch (key) {
    case 'subarray':
      return (from?: number, to?: number) => watched(run, view.subarray(from, to))
    case 'slice':
      return (from?: number, to?: number) => read(run, view.subarray(from, to))
    case 'set':
      return (source: ArrayLike<number>, offset = 0) =>
        write(run, { view: view.subarray(offset), proxy: proxy.subarray(offset) }, source)
    default: {
      const member: unknown = Reflect.get(view, key, view)
      if (typeof member !== 'function' || key === 'constructor') return member
      throw new Error(`${String(key)} of a view of shared memory is not modelled`)
    }
  }
}

function read(run: Run, view: View): View {
  const copy = view.slice()
  if (!run.controls) return copy
  if (view.length <= BYTE_BY_BYTE || view.BYTES_PER_ELEMENT > 1) {
    for (let index = 0; index < view.length; index++)
      copy[index] = run.access('get', { view, index }, []) as number
    return copy
  }
  for (const [from, to] of halves(view.length)) {
    const block = run.ask(blockOf('getBlock', view, from, to, []))
    copy.set(Buffer.from(block as string, 'latin1'), from)
  }
  return copy
}

function write(run: Run, { view, proxy }: { view: View; proxy: View }, source: ArrayLike<number>): void {
  if (source.length > view.length) throw new RangeError('offset is out of bounds')
  if (source.length <= BYTE_BY_BYTE || view.BYTES_PER_ELEMENT > 1) {
    for (let index = 0; index < source.length; index++) proxy[index] = source[index] as number
    return
  }
  for (const [from, to] of halves(source.length)) {
    const block = Buffer.from(Array.prototype.slice.call(source, from, to)).toString('latin1')
    run.ask(blockOf('putBlock', view, from, to, [block]))
  }
}

function halves(length: number): [number, number][] {
  return [
    [0, length >> 1],
    [length >> 1, length],
  ]
}

function blockOf(op: Operation, view: View, from: number, to: number, args: Request['args']): Request {
  return { op, kind: 'Uint8Array', byte: view.byteOffset + from, bytes: to - from, args }
}

/**
 * Puts the explorer between the code under test and `Atomics`, views, the clock and timers, for the memory of runs
 * only. What the returned function does is to put everything back.
 */
export function intercept(): () => void {
  const undo: (() => void)[] = []
  const replace = (owner: object, name: string, by: (original: Call) => unknown): void => {
    const original: unknown = Reflect.get(owner, name)
    Reflect.set(owner, name, by(original as Call))
    undo.push(() => Reflect.set(owner, name, original))
  }
  const replaceAtomic = (
    name: string,
    by: (run: Run, view: View, index: number, args: number[]) => unknown,
  ): void => {
    replace(Atomics, name, original => (view: View, index: number, ...args: number[]) => {
      const known = views.get(view)
      if (known?.run.controls) return by(known.run, known.view, index, args)
      return Reflect.apply(original, Atomics, [known?.view ?? view, index, ...args])
    })
  }
  for (const name of ATOMIC_OPERATIONS) {
    replaceAtomic(name, (run, view, index, args) =>
      run.access(name satisfies AtomicOperation, { view, index }, args),
    )
  }
  replaceAtomic('notify', (run, view, index, args) => run.access('notify', { view, index }, args))
  replaceAtomic('wait', (run, view, index, [expected = 0, timeout]) =>
    run.wait(view, index, expected, timeout),
  )
  replaceAtomic('waitAsync', (run, view, index, [expected = 0, timeout]) =>
    run.waitAsync(view, index, expected, timeout),
  )
  for (const name of ['Uint8Array', 'Int32Array', 'Float64Array'] satisfies ElementKind[]) {
    replace(globalThis, name, original => observing(original, watched))
  }
  for (const name of ['Int8Array', 'Int16Array', 'Uint16Array', 'Uint32Array', 'BigInt64Array', 'DataView']) {
    replace(globalThis, name, original =>
      observing(original, () => {
        throw new Error(`a ${name} of shared memory is not modelled`)
      }),
    )
  }
  replace(
    performance,
    'now',
    original => () => currentRun()?.now() ?? Reflect.apply(original, performance, []),
  )
  replace(
    globalThis,
    'setTimeout',
    original =>
      (callback: () => void, delay: number, ...args: unknown[]) =>
        currentRun()?.setTimer(callback, delay) ??
        Reflect.apply(original, globalThis, [callback, delay, ...args]),
  )
  replace(globalThis, 'clearTimeout', original => (timer: object | undefined) => {
    const run = currentRun()
    if (run) run.clearTimer(timer)
    else Reflect.apply(original, globalThis, [timer])
  })
  undo.push(catchFor('unhandledRejection'), catchFor('uncaughtException'))
  return () => {
    for (const step of undo.reverse()) step()
  }
}

/** Runs that are given up leave rejected promises and listeners that threw behind; those of others are errors. */
function catchFor(event: 'unhandledRejection' | 'uncaughtException'): () => void {
  const listeners = process.rawListeners(event) as ((...args: unknown[]) => void)[]
  process.removeAllListeners(event)
  process.on(event, (...args: unknown[]) => {
    const run = currentRun()
    if (run) run.escaped(args[0])
    else for (const listener of listeners) listener(...args)
  })
  return () => {
    process.removeAllListeners(event)
    for (const listener of listeners) process.on(event, listener)
  }
}

/** A constructor of views that lets `seen` replace those of a run's memory. */
function observing<Seen>(original: Call, seen: (run: Run, view: Seen) => Seen): unknown {
  const observer: object = new Proxy(original, {
    construct(target, args, newTarget) {
      const view = Reflect.construct(target, args, newTarget === observer ? target : newTarget)
      const run = runOn(args[0] as SharedArrayBuffer)
      return run === undefined ? view : seen(run, view as Seen)
    },
  })
  return observer
}
