import type { EventEmitter } from 'node:events'
import type { Cluster, Redis } from 'ioredis'
import type { LogPosition } from './log.js'
import { isRefusal } from './refusal.js'
import { type Outgoing, type QueueLimits, WaitingKeys } from './waiting-keys.js'

/** The pause after a first failure on a connection that stands, and the longest, in milliseconds. */
const [firstPause, longestPause] = [50, 1000]
/** A connection that says nothing for two of these is made anew, in milliseconds. */
const silenceInterval = 2500

/** A caller that is told when its keys are in the log, or will not be. */
export interface Waiter {
  resolve(position: LogPosition): void
  reject(error: unknown): void
}

/** What an invalidator has done, and what waits. */
export interface InvalidatorStats {
  /** Keys that wait for Redis, or for its answer. */
  queuedKeys: number
  /** Bytes of them, as JSON. */
  queuedBytes: number
  /** Keys that Redis has logged and published. */
  sentKeys: number
  /** Messages, of any number of keys each, that it has. */
  sentMessages: number
  /** Keys that were published while they waited already, and sent once. */
  coalescedKeys: number
  /** How often too much waited, and everything was declared stale instead. */
  overflows: number
}

/**
 * What waits for Redis. One message is on its way at a time, so that their order holds; what is added meanwhile makes
 * the next. A message without an answer is sent again, as it was, when the connection is back: Redis takes it once.
 */
export class SenderQueue {
  readonly #client: Redis | Cluster
  readonly #append: (message: Outgoing) => Promise<LogPosition>
  readonly #limits: QueueLimits
  readonly #waiting = new WaitingKeys()
  /** With the ticket after which each is served. */
  readonly #waiters = new Map<Waiter, number>()
  #outgoing: Outgoing | undefined
  /** The latest try to send it; undefined when none is under way. */
  #attempt: object | undefined
  #pause: NodeJS.Timeout | undefined
  #failures = 0
  #lastFailure: unknown
  #closedBecause: Error | undefined
  #onIdle: (() => void) | undefined
  #watch: NodeJS.Timeout | undefined
  #stuck: unknown
  readonly #sent = { sentKeys: 0, sentMessages: 0, coalescedKeys: 0, overflows: 0 }

  constructor(
    client: Redis | Cluster,
    append: (message: Outgoing) => Promise<LogPosition>,
    limits: QueueLimits,
  ) {
    this.#client = client
    this.#append = append
    this.#limits = limits
  }

  /** Why Redis did not take what waits, the last time that it was tried. */
  get lastFailure(): unknown {
    return this.#lastFailure
  }

  get stats(): InvalidatorStats {
    const { keys = 0, bytes = 0 } = this.#outgoing ?? {}
    return {
      queuedKeys: this.#waiting.keys + keys,
      queuedBytes: this.#waiting.bytes + bytes,
      ...this.#sent,
    }
  }

  /** Takes keys, as JSON, to be sent with others, or by themselves under an id of their own. */
  add(keys: readonly string[], id: string | undefined, waiter: Waiter): void {
    if (this.#closedBecause) {
      waiter.reject(this.#closedBecause)
      return
    }
    if (id === undefined) {
      const { ticket, coalesced } = this.#waiting.add(keys)
      this.#sent.coalescedKeys += coalesced
      this.#waiters.set(waiter, ticket)
    } else {
      this.#waiters.set(waiter, this.#waiting.addNamed(id, keys))
    }
    this.#send()
    if (this.#waiting.overflow(this.#limits)) this.#sent.overflows += 1
  }

  /** The waiter is told nothing any more; its keys stay. */
  forget(waiter: Waiter): void {
    this.#waiters.delete(waiter)
  }

  /** Takes nothing more. What waits is sent, if that takes no longer than `timeoutMs`; the rest is refused. */
  async close(timeoutMs: number): Promise<void> {
    this.#closedBecause ??= new Error('the invalidator is closed')
    if (!this.#outgoing && this.#waiting.isEmpty) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#refuse(this.#closedBecause)
  }

  #send(): void {
    if (this.#attempt || this.#pause) return
    if (!this.#outgoing && this.#waiting.isEmpty) {
      this.#rest()
      return
    }
    const { status } = this.#client
    if (status === 'end') {
      this.#refuse(new Error('the client has ended and will not connect again'))
      return
    }
    this.#attend()
    if (status === 'wait') this.#client.connect().catch(() => {})
    if (status !== 'ready') return
    const message = this.#outgoing ?? (this.#waiting.take() as Outgoing)
    const attempt = {}
    this.#outgoing = message
    this.#attempt = attempt
    this.#append(message).then(
      position => this.#succeeded(message, position),
      error => this.#failed(attempt, error),
    )
  }

  #succeeded(message: Outgoing, position: LogPosition): void {
    // Of an earlier attempt, or given up meanwhile.
    if (message !== this.#outgoing) return
    this.#outgoing = undefined
    this.#attempt = undefined
    this.#failures = 0
    this.#lastFailure = undefined
    this.#sent.sentKeys += message.keys
    this.#sent.sentMessages += 1
    const served = [...this.#waiters].filter(([, ticket]) => ticket <= message.ticket)
    for (const [waiter] of served) this.#waiters.delete(waiter)
    // First, so that Redis has something to do meanwhile.
    this.#send()
    for (const [waiter] of served) waiter.resolve({ ...position })
  }

  #failed(attempt: object, error: unknown): void {
    if (attempt !== this.#attempt) return
    this.#attempt = undefined
    this.#lastFailure = error
    if (isRefusal(error)) {
      this.#refuse(error)
    } else if (this.#client.status === 'ready') {
      const pause = Math.min(firstPause * 2 ** this.#failures, longestPause)
      this.#failures += 1
      this.#pause = setTimeout(this.#sendAnew, pause).unref()
    } else {
      this.#send()
    }
  }

  /** The connection is another, or a pause is over: nobody may answer what was sent before. */
  readonly #sendAnew = (): void => {
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#attempt = undefined
    this.#send()
  }

  /** Gives up all that waits: that it is out is promised to nobody. */
  #refuse(error: unknown): void {
    this.#waiting.clear()
    this.#outgoing = undefined
    this.#attempt = undefined
    const waiters = [...this.#waiters.keys()]
    this.#waiters.clear()
    this.#rest()
    for (const waiter of waiters) waiter.reject(error)
  }

  /** Something waits: the connection is watched. */
  #attend(): void {
    if (this.#watch) return
    const client = this.#client as EventEmitter
    client.on('ready', this.#sendAnew).on('end', this.#sendAnew)
    // A half-open connection, or a server that accepts one and never answers the handshake: for neither has
    // ioredis a deadline by default.
    this.#watch = setInterval(() => {
      const stuck = this.#client.status === 'connect' ? 'handshake' : this.#attempt
      if (stuck && stuck === this.#stuck) this.#client.disconnect(true)
      this.#stuck = stuck
    }, silenceInterval).unref()
  }

  /** Nothing waits: no timer and no listener stays. */
  #rest(): void {
    clearTimeout(this.#pause)
    this.#pause = undefined
    clearInterval(this.#watch)
    this.#watch = undefined
    this.#stuck = undefined
    const client = this.#client as EventEmitter
    client.off('ready', this.#sendAnew).off('end', this.#sendAnew)
    this.#onIdle?.()
  }
}
