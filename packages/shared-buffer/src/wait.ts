import { SharedBufferError } from './errors.js'
import { type CompleteWaitOptions, Pending } from './pending.js'
import { type Linked, LinkedQueue } from './queue.js'

// Waiting for a shared word. An attempt looks at the word's value and either does what its caller wants (take the
// message, take the lock) and returns a result, or names the value on which the waiter may sleep: one that nobody
// changes without a notify. Whoever changes such a value notifies all who wait, and all of them attempt again: a
// wake-up that goes to one waiter alone is lost when that thread is busy, or was just terminated.

/**
 * Does what the waiter waits for if the word's value `seen` allows it. A number: not yet, sleep only while the word
 * has this value. May throw. Attempts that see the same value name the same.
 */
export type Attempt<T extends object | true> = (seen: number) => T | number

/**
 * Blocks this thread until an attempt succeeds; undefined when `timeoutMs` went by.
 * The word is `word[0]`. Before it sleeps the first time it looks up to `looks` times whether that has changed.
 */
export function waitBlocking<T extends object | true>(
  word: Int32Array,
  attempt: Attempt<T>,
  timeoutMs: number,
  looks = 0,
): T | undefined {
  let deadline: number | undefined
  let remaining = timeoutMs
  for (;;) {
    // I6: loaded before the attempt, so that a change after it makes the wait below return at once.
    const seen = Atomics.load(word, 0)
    const result = attempt(seen)
    if (typeof result !== 'number') return result
    if (deadline === undefined) {
      deadline = performance.now() + timeoutMs
      if (timeoutMs > 0 && changes(word, result, looks)) continue
    } else remaining = deadline - performance.now()
    if (remaining <= 0) return undefined
    blockWhile(word, result, remaining)
  }
}

/** Whether the word has another value within so many looks. */
function changes(word: Int32Array, value: number, looks: number): boolean {
  for (let look = 0; look < looks; look++) {
    // I6: nothing is decided by it but when to attempt again.
    if (Atomics.load(word, 0) !== value) return true
  }
  return false
}

function blockWhile(word: Int32Array, value: number, timeoutMs: number): void {
  try {
    // I6: sleeps only while the word has the value that the attempt named; its answer means nothing
    // ("not-equal" is good news, "ok" may be somebody else's news), the loop looks again.
    Atomics.wait(word, 0, value, timeoutMs)
  } catch (cause) {
    throw new SharedBufferError(
      'BLOCKING_FORBIDDEN',
      'Cannot block this thread (the main thread of a browser may not wait): use the async call',
      { cause },
    )
  }
}

/**
 * Resolves with the first result of an attempt, or with undefined when `timeoutMs` went by; rejects with what an
 * attempt throws, or with the signal's reason. Calls of this thread on the same word are served in their order.
 * The first attempt is made before this function returns.
 */
export async function waitAsync<T extends object | true>(
  word: Int32Array,
  attempt: Attempt<T>,
  options: CompleteWaitOptions,
): Promise<T | undefined> {
  if (waitersOf(word)?.isEmpty ?? true) {
    // I6: a look before there is any waiting; whoever joins the waiters looks again.
    const result = attempt(Atomics.load(word, 0))
    if (typeof result !== 'number') return result
    if (options.timeoutMs === 0) return undefined
  }
  if (typeof Atomics.waitAsync !== 'function') {
    throw new SharedBufferError('UNSUPPORTED', 'Cannot wait: Atomics.waitAsync is missing here')
  }
  const waiters = waitersOf(word) ?? new WordWaiters(word)
  return waiters.add(word, attempt, options) as Promise<T | undefined>
}

/** Rejects the waits of this thread that were begun with this very view: what they wait for won't come. */
export function rejectWaits(word: Int32Array, reason: () => Error): void {
  waitersOf(word)?.reject(waiter => waiter.word === word, reason)
}

/** This thread's waiting calls, by buffer and byte offset of the word. */
const waitersByBuffer = new WeakMap<ArrayBufferLike, Map<number, WordWaiters>>()

function waitersOf(word: Int32Array): WordWaiters | undefined {
  return waitersByBuffer.get(word.buffer)?.get(word.byteOffset)
}

/** One waiting call. */
class Waiter extends Pending<object | true | undefined> implements Linked<Waiter> {
  previous: Waiter | undefined = undefined
  next: Waiter | undefined = undefined
  readonly word: Int32Array
  readonly attempt: Attempt<object | true>

  constructor(
    word: Int32Array,
    attempt: Attempt<object | true>,
    options: CompleteWaitOptions,
    waiters: WordWaiters,
  ) {
    super(
      options,
      () => waiters.timeOut(this),
      () => waiters.leave(this),
    )
    this.word = word
    this.attempt = attempt
  }
}

/** The waiting calls of one thread on one word, which share one Atomics.waitAsync. */
class WordWaiters {
  readonly #word: Int32Array
  readonly #queue = new LinkedQueue<Waiter>()
  /** A waitAsync is outstanding. It can't be cancelled, only notified. */
  #armed = false

  constructor(word: Int32Array) {
    this.#word = word
    const ofBuffer = waitersByBuffer.get(word.buffer) ?? new Map<number, WordWaiters>()
    waitersByBuffer.set(word.buffer, ofBuffer.set(word.byteOffset, this))
  }

  get isEmpty(): boolean {
    return this.#queue.first === undefined
  }

  add(
    word: Int32Array,
    attempt: Attempt<object | true>,
    options: CompleteWaitOptions,
  ): Promise<object | true | undefined> {
    const waiter = new Waiter(word, attempt, options, this)
    this.#queue.push(waiter)
    this.#attemptAll()
    return waiter.promise
  }

  leave(waiter: Waiter): void {
    this.#queue.remove(waiter)
    if (this.isEmpty) this.#disarm()
  }

  timeOut(waiter: Waiter): void {
    this.#attemptAll()
    if (waiter.settled) return
    waiter.resolve(undefined)
    this.leave(waiter)
  }

  reject(which: (waiter: Waiter) => boolean, reason: () => Error): void {
    for (let waiter = this.#queue.first; waiter !== undefined; ) {
      const { next } = waiter
      if (which(waiter)) {
        waiter.reject(reason())
        this.#queue.remove(waiter)
      }
      waiter = next
    }
    if (this.isEmpty) this.#disarm()
  }

  /** Lets every waiter try, in order, until none succeeds; then makes sure that a change will be heard. */
  #attemptAll(): void {
    do {
      let sleepOn = 0
      // I6: loaded before the attempts that it is shown to.
      let seen = Atomics.load(this.#word, 0)
      for (let waiter = this.#queue.first; waiter !== undefined; ) {
        const refused = this.#attempt(waiter, seen)
        if (refused === undefined) {
          // I6: an attempt may have changed the word: from the front again, with its new value.
          seen = Atomics.load(this.#word, 0)
          waiter = this.#queue.first
        } else {
          sleepOn = refused
          waiter = waiter.next
        }
      }
      if (this.isEmpty) {
        this.#disarm()
        return
      }
      // Refused by all, so what remains is to hear of the next value.
      if (!this.#armed) this.#arm(sleepOn)
    } while (!this.#armed)
  }

  /** Undefined when the waiter is done, else the value that it may sleep on. */
  #attempt(waiter: Waiter, seen: number): number | undefined {
    try {
      const result = waiter.attempt(seen)
      if (typeof result === 'number') return result
      waiter.resolve(result)
    } catch (error) {
      waiter.reject(error)
    }
    this.#queue.remove(waiter)
    return undefined
  }

  /** Leaves it unarmed when the word no longer has the value. */
  #arm(value: number): void {
    // I6: compares with the value that the attempts named, so that a change since then is seen here.
    // I7: only while none is outstanding.
    const wait = Atomics.waitAsync(this.#word, 0, value)
    if (!wait.async) return
    this.#armed = true
    wait.value.then(() => {
      this.#armed = false
      this.#attemptAll()
    })
  }

  /**
   * Nobody waits here any more. The outstanding waitAsync would hold on to the memory until somebody
   * notifies the word, perhaps never: so this thread does. Others who wait for the word look again, and sleep on.
   */
  #disarm(): void {
    if (this.#armed) {
      // I7: ends our own waitAsync; its answer finds no waiter and forgets the word.
      Atomics.notify(this.#word, 0)
      return
    }
    const ofBuffer = waitersByBuffer.get(this.#word.buffer)
    ofBuffer?.delete(this.#word.byteOffset)
    if (ofBuffer?.size === 0) waitersByBuffer.delete(this.#word.buffer)
  }
}
