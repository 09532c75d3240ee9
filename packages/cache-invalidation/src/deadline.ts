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

/** Whether no answer came in time, by our deadline or by that of ioredis (`commandTimeout`). */
export function isTimeout(error: unknown): boolean {
  return (
    error instanceof DeadlineError ||
    (error instanceof Error && (error.message === 'Command timed out' || isTimeout(error.cause)))
  )
}
