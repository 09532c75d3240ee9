import { RendererError } from './error.js'
import { describe } from './error-transfer.js'
import type { Renderer } from './renderer.js'
import { RouteClaims } from './ssg-claims.js'
import type { SiteFolder } from './ssg-folder.js'
import type { SsgFailure, SsgOptions, SsgPage } from './ssg-options.js'
import { fileOfRoute } from './ssg-route.js'
import type { RouteSource } from './ssg-routes.js'

/** What a build does with its routes. */
export type SsgSteps = Pick<SsgOptions, 'getProps' | 'onProgress'> &
  Required<Pick<SsgOptions, 'statuses' | 'concurrency'>>

/** What became of a route. */
export type SsgOutcome = ['rendered' | 'unchanged', SsgPage] | ['failed', SsgFailure]

/** The way of all routes from their source to their files. */
export class SsgBuild {
  readonly #renderer: Pick<Renderer, 'render'>
  readonly #folder: SiteFolder
  readonly #steps: SsgSteps
  /** Aborted by whoever wants the build to end, this one included; its reason is what the build rejects with. */
  readonly #stop: AbortController
  readonly #claims: RouteClaims
  readonly #outcomes: SsgOutcome[] = []
  #done = 0

  constructor(
    renderer: Pick<Renderer, 'render'>,
    folder: SiteFolder,
    steps: SsgSteps,
    stop: AbortController,
  ) {
    this.#renderer = renderer
    this.#folder = folder
    this.#steps = steps
    this.#stop = stop
    this.#claims = new RouteClaims(folder.foldsNames)
  }

  /** Settles when no route is under way any more. The outcomes have the order of the routes. */
  async run(source: RouteSource): Promise<SsgOutcome[]> {
    const { signal } = this.#stop
    const underWay = new Set<Promise<void>>()
    try {
      for (let index = 0; ; index++) {
        // One ahead, so that the total is known before the last route is done.
        const next = await orAborted(() => source.next(), signal)
        if (next.done) break
        while (underWay.size >= this.#steps.concurrency) await Promise.race(underWay)
        signal.throwIfAborted()
        const route = this.#finish(index, next.value, source)
          .catch(error => this.#stop.abort(error))
          .finally(() => underWay.delete(route))
        underWay.add(route)
      }
    } catch (error) {
      this.#stop.abort(error)
    }
    await Promise.all(underWay)
    signal.throwIfAborted()
    return this.#outcomes
  }

  async #finish(index: number, given: unknown, source: RouteSource): Promise<void> {
    const route = typeof given === 'string' ? given : describe(given)
    const outcome = await this.#produce(given, route)
    if (this.#stop.signal.aborted) return
    this.#outcomes[index] = outcome
    this.#done++
    const [kind, result] = outcome
    this.#steps.onProgress?.({
      done: this.#done,
      total: source.total,
      route,
      ...(kind === 'failed' && { error: result.error }),
    })
  }

  async #produce(given: unknown, route: string): Promise<SsgOutcome> {
    const { statuses } = this.#steps
    const expected = Object.hasOwn(statuses, route) ? statuses[route] : 200
    try {
      const file = fileOfRoute(given)
      this.#claims.claim(file, route) // before anything is awaited, so that the first route wins
      const page = await this.#render(route)
      try {
        const { statusCode } = page
        if (statusCode !== expected) {
          const error = new RendererError(
            'PAGE_STATUS',
            `The page of ${route} has the status ${statusCode}, and must have ${expected}: nothing was written`,
          )
          return ['failed', { route, error, statusCode }]
        }
        this.#stop.signal.throwIfAborted()
        const isNew = await this.#folder.write(file, page.body)
        const written = { route, path: this.#folder.pathOf(file), bytes: page.body.length }
        return [isNew ? 'rendered' : 'unchanged', written]
      } finally {
        page.release()
      }
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(`thrown: ${describe(thrown)}`)
      return ['failed', { route, error }]
    }
  }

  async #render(route: string) {
    const { signal } = this.#stop
    const props = await orAborted(() => this.#steps.getProps?.(route, { signal }), signal)
    return this.#renderer.render({ route, props }, { signal })
  }
}

/** What `begin` gives, unless the signal is aborted first: then nobody waits for it any more. */
export function orAborted<T>(begin: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const settled = (async () => begin())()
    settled.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject)
  })
}
