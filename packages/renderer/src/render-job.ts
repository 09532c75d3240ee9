import type { SlotLease } from '@scratchyjs/shared-buffer'
import type { Entrant } from './admission.js'
import type { RenderEvent } from './diagnostics.js'
import { RendererError } from './error.js'
import { decodeError } from './error-transfer.js'
import { PageStream } from './page-stream.js'
import { type ContextTask, carrierOf, type Page, responseOf } from './page-transport.js'
import type { HeaderValue, RenderTask } from './protocol.js'
import type { RenderPool } from './render-pool.js'
import type { StreamLane } from './stream-lanes.js'
import type { Outcome, TaskOwner, TaskRun } from './task-run.js'

/** A page that is still being made. */
export interface StreamedPage {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, HeaderValue>>
  /** Its bytes as they come, UTF-8. Destroying it ends the render. An error after the head destroys it. */
  readonly stream: PageStream
}

/** What is known of a render that is finished. */
interface Conclusion {
  error?: unknown
  statusCode?: number | undefined
  transport?: RenderEvent['transport']
}

const countOf = { ok: 'renders', error: 'errors', cancelled: 'cancelled' } as const

/** The status of the response that an error becomes. */
function statusOf(error: unknown): number {
  const { statusCode } = (error ?? {}) as { statusCode?: unknown }
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : 500
}

/**
 * One render, from the request for it to the end of its task. Its steps are callbacks, not promises, each of which
 * would cost the main thread about a microsecond a page.
 */
export abstract class RenderJob<Result> implements Entrant, TaskOwner {
  /** Rejects with the reason of {@link cancel}, at once, or with what went wrong. */
  readonly result: Promise<Result>
  protected readonly pool: RenderPool
  protected isSettled = false
  #json!: string
  /** Redis has lost the context once. */
  #avoidsRedis = false
  #run: TaskRun | undefined
  #task!: ContextTask
  #lease: SlotLease | undefined
  #resolve!: (result: Result) => void
  #reject!: (error: unknown) => void
  readonly #route: string
  #waitMs = 0
  #beganAt: number | undefined

  constructor(pool: RenderPool, route: string) {
    this.pool = pool
    this.#route = route
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Asks for a thread, with the context as JSON. */
  start(json: string): this {
    this.#json = json
    this.pool.admission.enter(this)
    return this
  }

  /** Nobody wants the page any more. Does nothing when it is there already. */
  cancel(reason: unknown): void {
    if (this.isSettled) return
    this.conclude('cancelled', { error: reason })
    this.reject(reason)
    this.pool.admission.withdraw(this, reason)
    this.abort()
  }

  protected abstract readonly kind: RenderEvent['kind']

  /** Counts what became of the render, once, and tells whoever wants to know. */
  protected conclude(outcome: RenderEvent['outcome'], { error, statusCode, transport }: Conclusion): void {
    const { counts, latency, diagnostics } = this.pool
    counts[countOf[outcome]]++
    const isPage = outcome === 'ok' && this.kind === 'page'
    if (!isPage && !diagnostics.wantsRenders) return
    const renderMs = this.#beganAt === undefined ? undefined : performance.now() - this.#beganAt
    if (isPage && renderMs !== undefined) latency.record(renderMs)
    if (!diagnostics.wantsRenders) return
    diagnostics.render({
      route: this.#route,
      kind: this.kind,
      outcome,
      statusCode: statusCode ?? (outcome === 'error' ? statusOf(error) : undefined),
      waitMs: this.#waitMs,
      renderMs,
      transport,
      error,
    })
  }

  /** Asks the task to end. */
  protected abort(): void {
    this.#run?.cancel()
  }

  protected resolve(result: Result): void {
    this.isSettled = true
    this.#resolve(result)
  }

  protected reject(error: unknown): void {
    this.isSettled = true
    this.#reject(error)
  }

  /** The task as its thread gets it, now. */
  protected abstract prepare(task: ContextTask): Omit<RenderTask, 'ticket'>

  /** Nothing was done: what was prepared for it goes back. */
  protected forget(_outcome: Outcome): void {}

  /** Its time is up. */
  protected abstract expire(error: RendererError): void

  /** Its thread is free, or gone; the lease is still held when the thread is not gone. */
  protected abstract finish(outcome: Outcome, task: ContextTask, lease: SlotLease | undefined): void

  onOutcome(outcome: Outcome): void {
    this.pool.running.delete(this)
    if ('answer' in outcome && 'isContextLost' in outcome.answer && !this.isSettled) {
      this.#again(outcome)
      return
    }
    this.#json = '' // a slow client keeps the job for long
    if ('crash' in outcome) {
      this.pool.lose(outcome.killed, this.#lease)
      const { requestId } = this.#task
      if (requestId !== undefined) this.pool.transport.redis?.discard(requestId)
    }
    try {
      this.finish(outcome, this.#task, this.#lease)
    } catch (error) {
      this.reject(error)
    }
  }

  onFree(): void {
    this.pool.admission.leave()
  }

  onRefusal(error: unknown): void {
    if (!this.isSettled) this.conclude('error', { error })
    this.reject(error)
  }

  /** Once more, with the context in the task, before all who wait. */
  #again(outcome: Outcome): void {
    this.forget(outcome)
    this.#lease?.release()
    this.#lease = undefined
    this.#run = undefined
    this.#avoidsRedis = true
    this.pool.admission.enterFirst(this)
  }

  onTurn(waitMs: number): void {
    this.#waitMs = waitMs
    const { redis } = this.pool.transport
    if (!this.#avoidsRedis && redis?.takes(this.#json)) {
      redis.send(this.#json).then(requestId => {
        if (this.isSettled && requestId !== undefined) redis.discard(requestId)
        this.#depart(requestId)
      })
    } else this.#depart()
  }

  #depart(requestId?: string): void {
    if (this.isSettled) {
      this.pool.admission.leave() // cancelled while its context was sent
      return
    }
    const now = performance.now()
    this.#beganAt = now
    const { task, lease } = this.pool.transport.depart(this.#json, requestId)
    this.#task = task
    this.#lease = lease
    this.pool.running.add(this, now)
    this.#run = this.pool.start(this.prepare(task), this)
  }

  /** Its time is up, unless its thread had to start first: that is time in the queue. Answers how long it still has. */
  onLate(): number {
    const { taskTimeout, queueTimeout } = this.pool.settings
    const renderMs = this.#run?.renderMs
    if (renderMs === undefined) {
      const left = queueTimeout - (performance.now() - (this.#beganAt as number))
      if (left > 0) return Math.min(taskTimeout, left)
      this.expire(new RendererError('QUEUE_TIMEOUT', `No thread had started within ${queueTimeout} ms`))
      return 0
    }
    if (renderMs < taskTimeout) return taskTimeout - renderMs
    this.expire(new RendererError('RENDER_TIMEOUT', `The render took longer than ${taskTimeout} ms`))
    return 0
  }
}

/** A render whose page comes whole. */
export class PageJob extends RenderJob<Page> {
  protected override readonly kind = 'page'

  protected override prepare(task: ContextTask): Omit<RenderTask, 'ticket'> {
    return task
  }

  protected finish(outcome: Outcome, task: ContextTask, lease: SlotLease | undefined): void {
    if (this.isSettled) {
      if ('answer' in outcome) lease?.release()
      return
    }
    try {
      if ('crash' in outcome) throw this.pool.crashOf(outcome.crash)
      const { answer } = outcome
      const page = this.pool.transport.arrive(answer, task, lease)
      this.conclude('ok', { statusCode: page.statusCode, transport: carrierOf(answer, task) })
      this.resolve(page)
    } catch (error) {
      this.conclude('error', { error })
      this.reject(error)
    }
  }

  protected expire(error: RendererError): void {
    if (!this.isSettled) this.conclude('error', { error })
    this.reject(error)
    this.abort()
  }
}

/** A render whose page comes in parts: there is a result as soon as its head has come. */
export class StreamJob extends RenderJob<StreamedPage> {
  protected override readonly kind = 'stream'
  #lane: StreamLane | undefined
  #statusCode: number | undefined
  #stream: PageStream | undefined
  #expired: RendererError | undefined
  #failure: Error | undefined
  #isUnwanted = false
  #outcome: Outcome | undefined

  override cancel(reason: unknown): void {
    this.#isUnwanted = true
    super.cancel(reason)
    this.#stream?.destroy()
  }

  protected override prepare(task: ContextTask): Omit<RenderTask, 'ticket'> {
    const { lanes, hub } = this.pool
    const lane = lanes.take()
    const stream = new PageStream(lane, hub, {
      onHead: head => {
        const response = responseOf(head)
        this.#statusCode = response.statusCode
        this.resolve({ ...response, stream })
      },
      onFailure: error => {
        this.#failure = error
        if (this.#outcome) this.#fail(error)
      },
      onClose: isWhole => {
        if (!isWhole && !this.#outcome) this.#abandon()
        this.#giveBack()
      },
    })
    this.#lane = lane
    this.#stream = stream
    stream.open()
    return { ...task, lane: lane.buffer }
  }

  protected override forget(outcome: Outcome): void {
    this.#outcome = outcome // so that the end of the stream gives its ring back, and cancels nothing
    this.#stream?.destroy()
    this.#outcome = undefined
    this.#stream = undefined
  }

  protected finish(outcome: Outcome, _task: ContextTask, lease: SlotLease | undefined): void {
    this.#outcome = outcome
    if ('answer' in outcome) lease?.release()
    const told = this.#expired ?? this.#errorOf(outcome)
    if (!told) this.#stream?.takeHead()
    const error = told ?? this.#failure
    if (!this.#isUnwanted) {
      this.conclude(error ? 'error' : 'ok', { error, statusCode: this.#statusCode })
    }
    if (error) this.#fail(error)
    this.#giveBack()
  }

  protected expire(error: RendererError): void {
    this.#expired = error
    this.abort()
    this.#fail(error)
  }

  #fail(error: Error): void {
    // Nobody has the stream yet who could hear its error.
    this.#stream?.destroy(this.isSettled ? error : undefined)
    if (!this.isSettled) this.reject(error)
  }

  /** Its consumer has destroyed the stream before the task was over. */
  #abandon(): void {
    if (!this.#isUnwanted && !this.#expired) {
      this.#isUnwanted = true
      this.conclude('cancelled', { statusCode: this.#statusCode })
    }
    this.abort()
  }

  #errorOf(outcome: Outcome): Error | undefined {
    if ('crash' in outcome) return this.pool.crashOf(outcome.crash)
    const { answer } = outcome
    return 'error' in answer ? decodeError(answer.error) : undefined
  }

  /** The ring may serve another stream when neither side will touch it again. */
  #giveBack(): void {
    if (!this.#lane || !this.#outcome || !this.#stream?.destroyed) return
    this.pool.lanes.giveBack(this.#lane, 'answer' in this.#outcome)
    this.#lane = undefined
  }
}
