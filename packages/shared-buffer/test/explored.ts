import { exploredInAll, type Thread } from '@scratchyjs/tooling/explore'
import { afterAll } from 'vitest'
import { createSharedBuffer, createSharedBufferPool, type SharedBuffer, SharedMutex } from '../src/index.js'
import { mailboxAt } from '../src/mailbox.js'
import { PoolOwner } from '../src/pool.js'
import { attachPoolMemory } from '../src/pool-layout.js'

afterAll(() => console.log(exploredInAll()))

/** With `EXPLORE=full` also what every run of the tests has no time for. */
export function inFull<Case>(...cases: Case[]): Case[] {
  return process.env.EXPLORE === 'full' ? cases : []
}

/** Milliseconds that a test with such cases may take. */
export const LONG = 300_000

/** As every scenario waits: what isn't there never comes. */
export const forever: { timeoutMs: number } = { timeoutMs: Number.POSITIVE_INFINITY }

/** Without a look before a read sleeps: sleeping is what is explored. */
export const still: { spin: number } = { spin: 0 }

export const mailboxPlaces = { 0: 'status', 4: 'length', 8: 'data' }

/** A mailbox of 80 bytes as it is after `prepare`. */
export function mailbox(prepare: (shared: SharedBuffer) => void = () => {}): () => SharedArrayBuffer {
  return () => {
    const shared = createSharedBuffer(80)
    prepare(shared)
    return shared.buffer
  }
}

/** A thread that makes its objects before any thread acts. */
export function thread<Own>(
  make: (memory: SharedArrayBuffer) => Own,
): (act: (own: Own) => unknown) => Thread {
  return act => memory => {
    const own = make(memory)
    return () => act(own)
  }
}

/** Has one mailbox at each of two places, for a message there and an answer back. */
export const twoMailboxes: (act: (there: SharedBuffer, back: SharedBuffer) => unknown) => Thread = act =>
  thread(memory => [mailboxAt(memory, 0, 8), mailboxAt(memory, 16, 8)] as const)(([there, back]) =>
    act(there, back),
  )

/** Has a lock, and a number that only its holder may touch. */
export const locker: (act: (lock: SharedMutex, increment: () => void) => unknown) => Thread = act =>
  thread(memory => [new SharedMutex(memory), new Int32Array(memory, 4, 1)] as const)(([lock, count]) =>
    act(lock, () => {
      count[0] = (count[0] ?? 0) + 1
    }),
  )

export function lockMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(8)
}

export const lockPlaces = { 0: 'lock', 4: 'count' }

export function poolMemory(): SharedArrayBuffer {
  return createSharedBufferPool({ slots: 1, slotSize: 8 }).buffer
}

export const poolPlaces = { 0: 'header', 64: 'control', 120: 'status', 124: 'length', 128: 'data' }

export const owner: (act: (pool: PoolOwner) => unknown) => Thread = thread(
  memory => new PoolOwner(attachPoolMemory(memory)),
)

/** The answer of the call, or the code of its error. */
export function outcome<T>(call: () => T): T | string {
  try {
    return call()
  } catch (thrown) {
    return (thrown as { code: string }).code
  }
}
