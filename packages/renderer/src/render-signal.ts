import type { ControlWords } from './control-words.js'

/** The signal of one render, in its worker. It costs nothing until somebody asks for it. */
export class RenderSignal {
  readonly #watch: ((callback: () => void) => () => void) | undefined
  #controller: AbortController | undefined
  #stop: (() => void) | undefined

  /** Without a ticket it is never aborted. */
  constructor(words?: ControlWords, ticket?: number) {
    this.#watch = words && ticket !== undefined ? callback => words.onCancel(ticket, callback) : undefined
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController()
      this.#controller = controller
      this.#stop = this.#watch?.(() => {
        controller.abort(new DOMException('The render is not wanted any more', 'AbortError'))
      })
    }
    return this.#controller.signal
  }

  /** The render is over: nothing aborts it any more. */
  end(): void {
    this.#stop?.()
  }
}
