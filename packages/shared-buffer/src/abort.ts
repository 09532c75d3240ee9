/** Calls to make when a signal aborts, and the one listener that makes them. */
interface Calls {
  readonly pending: Set<() => void>
  readonly listener: () => void
}

const callsOf = new WeakMap<AbortSignal, Calls>()

/**
 * Calls `onAbort` when `signal` aborts; the answer is a function that takes that back. However many waits share a
 * signal it gets one listener: Node warns of a leak from the eleventh on, and takes long to remove one of many.
 */
export function listenToAbort(signal: AbortSignal, onAbort: () => void): () => void {
  const calls = callsOf.get(signal) ?? listen(signal)
  calls.pending.add(onAbort)
  return () => {
    calls.pending.delete(onAbort)
    if (calls.pending.size > 0 || callsOf.get(signal) !== calls) return
    callsOf.delete(signal)
    signal.removeEventListener('abort', calls.listener)
  }
}

function listen(signal: AbortSignal): Calls {
  const pending = new Set<() => void>()
  const listener = () => {
    for (const call of pending) call()
  }
  const calls = { pending, listener }
  callsOf.set(signal, calls)
  signal.addEventListener('abort', listener)
  return calls
}
