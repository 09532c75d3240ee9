import { AssertionError } from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { DeadlineError, withDeadline } from '../deadline.js'

/** Tries again and again until nothing is thrown; after `ms` what was thrown last counts. */
export async function eventually(ms: number, check: () => void | Promise<void>): Promise<void> {
  const until = performance.now() + ms
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      if (performance.now() > until) throw error
    }
    await delay(5)
  }
}

/** The promise, or an AssertionError after `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  try {
    return await withDeadline(promise, ms)
  } catch (error) {
    if (error instanceof DeadlineError)
      throw new AssertionError({ message: `${what} took more than ${ms} ms` })
    throw error
  }
}
