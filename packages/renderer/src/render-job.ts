import type { Place } from './admission.js'
import { RendererError } from './error.js'
import { decodeError } from './error-transfer.js'
import { PageStream } from './page-stream.js'
import { type Page, responseOf } from './page-transport.js'
import type { HeaderValue } from './protocol.js'
import type { RenderPool } from './render-pool.js'
import type { Outcome, TaskRun } from './task-run.js'

/** A page that is still being made. */
export interface StreamedPage {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, HeaderValue>>
  /** Its bytes as they come, UTF-8. Destroying it ends the render. An error after the head destroys it. */
  readonly stream: PageStream
}

/** One render, from the request for it to the end of its task. It leaves the queue or its thread when it is cancelled. */
abstract class RenderJob<Result> {
  /** Rejects with the reason of {@link cancel}, at once, or with what went wrong. */
  readonly result: Promise<Result>
  protected readonly pool: RenderPool
  protected run: TaskRun | undefined
  #place: Place | undefined
  #resolve!: (result: Result) => void
  #reject!: (error: unknown) => void
  #settled = false

  constructor(pool: RenderPool) {
    this.pool = pool
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Asks for a thread, with the context as JSON. */
  start(json: string): this {
    void this.#begin(json)
    return this
  }

  /** Nobody wants the page any more. Does nothing when it is there already. */
  cancel(reason: unknown): void {
    if (!this.#settled) this.pool.counts.cancelled++
    this.stop(reason)
  }

  protected stop(reason: unknown): void {
    if (this.#settled) return
    this.reject(reason)
    this.#place?.withdraw(reason)
    this.run?.cancel()
  }

  get settled(): boolean {
    return this.#settled
  }

  protected resolve(result: Result): void {
    this.#settled = true
    this.#resolve(result)
  }

  protected reject(error: unknown): void {
    this.#settled = true
    this.#reject(error)
  }

  /** Takes the context to a thread; resolves when that is free again. */
  protected abstract execute(json: string): Promise<void>

  /** Its time is up. */
  protected abstract expire(error: RendererError): void

  protected async timed(run: TaskRun): Promise<Outcome> {
    this.run = run
    const { taskTimeout } = this.pool.settings
    const timer = setTimeout(
      () => this.expire(new RendererError('RENDER_TIMEOUT', `The render took longer than ${taskTimeout} ms`)),
      taskTimeout,
    )
    const outcome = await run.outcome
    clearTimeout(timer)
    return outcome
  }

  async #begin(json: string): Promise<void> {
    try {
      this.#place = this.pool.admission.enter()
      if (this.#place.turn) await this.#place.turn
    } catch (error) {
      if (!this.#settled) this.pool.counts.errors++
      this.reject(error)
      return
    }
    try {
      if (!this.#settled) await this.execute(json)
    } catch (error) {
      this.reject(error)
    } finally {
      this.#place.leave()
    }
  }
}

/** A render whose page comes whole. */
export class PageJob extends RenderJob<Page> {
  protected async execute(json: string): Promise<void> {
    const { transport, counts, latency } = this.pool
    const began = performance.now()
    const { task, lease } = transport.depart(json)
    const outcome = await this.timed(this.pool.start(task))
    if ('crash' in outcome) {
      lease?.quarantine(this.pool.departures())
      if (!this.settled) counts.errors++
      this.reject(this.pool.crashOf(outcome))
      return
    }
    if (this.settled) {
      lease?.release()
      return
    }
    try {
      const page = transport.arrive(outcome.answer, task, lease)
      latency.record(performance.now() - began)
      counts.renders++
      this.resolve(page)
    } catch (error) {
      counts.errors++
      this.reject(error)
    }
  }

  protected expire(error: RendererError): void {
    if (!this.settled) this.pool.counts.errors++
    this.stop(error)
  }
}

/** A render whose page comes in parts: there is a result as soon as its head has come. */
export class StreamJob extends RenderJob<StreamedPage> {
  #stream: PageStream | undefined
  #expired: RendererError | undefined
  #unwanted = false

  protected async execute(json: string): Promise<void> {
    const { transport, lanes, hub, counts } = this.pool
    const { task, lease } = transport.depart(json)
    const lane = lanes.take()
    let outcome: Outcome | undefined
    let isClosed = false
    let isHeld = true
    const giveBack = (): void => {
      if (!isHeld || !isClosed || !outcome) return
      isHeld = false
      lanes.giveBack(lane, 'answer' in outcome)
    }
    const stream = new PageStream(lane, hub, {
      onHead: head => this.resolve({ ...responseOf(head), stream }),
      onClose: isWhole => {
        isClosed = true
        if (!isWhole && !outcome) this.#abandon()
        giveBack()
      },
    })
    this.#stream = stream
    const timed = this.timed(this.pool.start({ ...task, lane: lane.buffer }))
    stream.open()
    outcome = await timed
    if ('crash' in outcome) lease?.quarantine(this.pool.departures())
    else lease?.release()
    const error = this.#expired ?? this.#errorOf(outcome)
    if (!this.#unwanted) counts[error ? 'errors' : 'renders']++
    if (error) this.#end(error)
    giveBack()
  }

  override cancel(reason: unknown): void {
    this.#unwanted = true
    super.cancel(reason)
    this.#stream?.destroy()
  }

  protected expire(error: RendererError): void {
    this.#expired = error
    this.run?.cancel()
    this.#end(error)
  }

  /** Its consumer has destroyed the stream before the task was over. */
  #abandon(): void {
    if (!this.#unwanted && !this.#expired) {
      this.#unwanted = true
      this.pool.counts.cancelled++
    }
    this.run?.cancel()
  }

  #end(error: Error): void {
    // Nobody has the stream yet who could hear its error.
    this.#stream?.destroy(this.settled ? error : undefined)
    if (!this.settled) this.reject(error)
  }

  #errorOf(outcome: Outcome): Error | undefined {
    if ('crash' in outcome) return this.pool.crashOf(outcome)
    const { answer } = outcome
    return 'error' in answer ? decodeError(answer.error) : undefined
  }
}
