import { describe } from './argument.js'

/**
 * The life of the other side: an `AbortSignal` that is aborted when it is over, or something that emits 'exit'
 * then, as a `Worker` of `node:worker_threads` does.
 */
export type Peer =
  | AbortSignal
  | { readonly threadId?: number; once(event: 'exit', listener: () => void): unknown }

/** Tells every ring of this thread about one peer's end, through a single listener. */
export class PeerWatch {
  #gone = false
  readonly #listeners = new Set<() => void>()

  constructor(peer: Peer) {
    const onGone = (): void => {
      this.#gone = true
      for (const listener of this.#listeners) listener()
    }
    if ('aborted' in peer) {
      this.#gone = peer.aborted
      peer.addEventListener('abort', onGone, { once: true })
    } else {
      this.#gone = peer.threadId === -1 // what a Worker that has ended says
      peer.once('exit', onGone)
    }
  }

  get gone(): boolean {
    return this.#gone
  }

  add(listener: () => void): void {
    this.#listeners.add(listener)
  }

  delete(listener: () => void): void {
    this.#listeners.delete(listener)
  }
}

const watches = new WeakMap<Peer, PeerWatch>()

/** The one watch of a peer. Throws `TypeError` for what can't tell its end. */
export function watchPeer(peer: Peer | undefined): PeerWatch | undefined {
  if (peer === undefined) return undefined
  const isPeer =
    typeof peer === 'object' &&
    peer !== null &&
    ('aborted' in peer ? typeof peer.addEventListener : typeof peer.once) === 'function'
  if (!isPeer) throw new TypeError(`peer must be a Worker or an AbortSignal, got ${describe(peer)}`)
  const watch = watches.get(peer) ?? new PeerWatch(peer)
  watches.set(peer, watch)
  return watch
}
