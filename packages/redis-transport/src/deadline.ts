/** In place of a result that came too late. */
export const LATE: unique symbol = Symbol('late')

/**
 * What the promise resolves to, or `LATE` after so many milliseconds. A thread that was busy meanwhile reads what has
 * arrived before it is called late: an answer that waits in the socket counts.
 */
export function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    // Timers, then sockets, then immediates: that is the order of the event loop.
    const timer = setTimeout(() => setImmediate(resolve, LATE), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
