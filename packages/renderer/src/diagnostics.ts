import { type Channel, channel } from 'node:diagnostics_channel'

/** What became of a render: published when it is finished, on the channel `scratchyjs:renderer:render`. */
export interface RenderEvent {
  /** The renderer's `name`. */
  name: string
  route: string
  kind: 'page' | 'stream'
  /** `cancelled`: nobody wanted the page any more. */
  outcome: 'ok' | 'error' | 'cancelled'
  /** Of the page, or of the error that takes its place; none when it was cancelled before either. */
  statusCode: number | undefined
  /** Milliseconds in the queue. */
  waitMs: number
  /** Milliseconds since it had a thread, up to its end; none when it never had one. */
  renderMs: number | undefined
  /** What carried a page that came whole. */
  transport: 'shared' | 'payload' | 'redis' | undefined
  /** Why it failed, or was cancelled. */
  error: unknown
}

/** What happened to a thread: published on the channel `scratchyjs:renderer:thread`. */
export interface ThreadEvent {
  /** The renderer's `name`. */
  name: string
  /**
   * `crashed`: it ended by itself. `killed`: its render had to end and did not within `cancelGrace`. `recycled`: it had
   * done enough.
   */
  event: 'started' | 'crashed' | 'killed' | 'recycled'
  /** Node's id of the thread; not known of a killed one. */
  threadId: number | undefined
  /** Why it crashed, as far as it told. */
  error: unknown
}

const renders: Channel = channel('scratchyjs:renderer:render')
const threads: Channel = channel('scratchyjs:renderer:thread')

/** Who is told of a pool's events beside the subscribers of the channels. */
export interface PoolObserver {
  onRender?(event: RenderEvent): void
  onThread?(event: ThreadEvent): void
  /** A slot is out of use until the thread that may still write to it has exited. */
  onQuarantine?(slot: number): void
}

/** Tells of what happens in a pool, to the channels and to the pool's own observers. */
export class Diagnostics {
  readonly #name: string
  readonly #observers: readonly PoolObserver[]
  readonly #isRenderObserved: boolean

  constructor(name: string, observers: readonly PoolObserver[]) {
    this.#name = name
    this.#observers = observers
    this.#isRenderObserved = observers.some(({ onRender }) => onRender)
  }

  /** Whether anybody wants to know of renders: an event need not be made for nobody. */
  get wantsRenders(): boolean {
    return this.#isRenderObserved || renders.hasSubscribers
  }

  render(rendered: Omit<RenderEvent, 'name'>): void {
    const event = { name: this.#name, ...rendered }
    renders.publish(event)
    for (const observer of this.#observers) observer.onRender?.(event)
  }

  thread(event: ThreadEvent['event'], threadId?: number, error?: unknown): void {
    const happened = { name: this.#name, event, threadId, error }
    threads.publish(happened)
    for (const observer of this.#observers) observer.onThread?.(happened)
  }

  quarantine(slot: number): void {
    for (const observer of this.#observers) observer.onQuarantine?.(slot)
  }
}
