/** A promise took too long. */
export class DeadlineError extends Error {
  override readonly name: string = 'DeadlineError'
}

/**
 * The promise, or a {@link DeadlineError} after `timeoutMs`. The promise itself goes on, and its rejection
 * is handled. The timer keeps no process alive.
 */
export function withDeadline<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // After a thread was busy for long the timer comes first, though the answer has arrived:
      // let the sockets be read once.
      setImmediate(() => reject(new DeadlineError(`nothing came within ${timeoutMs} ms`)))
    }, timeoutMs)
    timer.unref()
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
