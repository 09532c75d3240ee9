/**
 * Ends the thread that runs a Piscina task. Piscina takes any emitter of 'abort' for a signal; an AbortController for
 * each render costs several microseconds of the main thread's time, this costs none.
 */
export class KillSwitch {
  aborted = false
  readonly reason: undefined
  #listener: (() => void) | undefined

  once(_event: 'abort', listener: () => void): void {
    this.#listener = listener
  }

  /** What Piscina's types ask for; what it calls is `removeListener`. */
  off(_event: 'abort', listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined
  }

  removeListener(event: 'abort', listener: () => void): void {
    this.off(event, listener)
  }

  trip(): void {
    this.aborted = true
    this.#listener?.()
  }
}
