import type { EventEmitter } from 'node:events'
import type { Cluster, Redis } from 'ioredis'
import type { LogPosition } from './log.js'
import type { EncodedKeys } from './message.js'
import { isRefusal } from './refusal.js'
import { SharedTimer } from './shared-timer.js'
import { type Outgoing, type QueueLimits, WaitingKeys } from './waiting-keys.js'

/** The pause after a first failure on a connection that stands, and the longest, in milliseconds. */
const [firstPause, longestPause] = [50, 1000]

/** A caller that is told when its keys are in the log, or will not be. */
export interface Waiter {
  /** Milliseconds. */
  timeoutMs: number
  resolve(position: LogPosition): void
  reject(error: unknown): void
  /** It has waited for so long. */
  expire(): void
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
  readonly #silenceMs: number
  readonly #waiting = new WaitingKeys()
  /** By the ticket after which they are served, each with the end of its patience, by `performance.now()`. */
  readonly #waiters = new Map<number, Map<Waiter, number>>()
  /** All tickets up to this one are served. */
  #servedTicket = 0
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
  readonly #deadlines = new SharedTimer(now => this.#expire(now))
  readonly #sent = { sentKeys: 0, sentMessages: 0, coalescedKeys: 0, overflows: 0 }

  /** @param silenceMs a connection that says nothing for two of these is made anew, in milliseconds */
  constructor(
    client: Redis | Cluster,
    append: (message: Outgoing) => Promise<LogPosition>,
    limits: QueueLimits,
    silenceMs: number = 2500,
  ) {
    this.#client = client
    this.#append = append
    this.#limits = limits
    this.#silenceMs = silenceMs
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

  /** Takes keys, to be sent with others, or by themselves under an id of their own. Answers the waiter's ticket. */
  add(keys: EncodedKeys, id: string | undefined, waiter: Waiter): number {
    if (this.#closedBecause) {
      waiter.reject(this.#closedBecause)
      return 0
    }
    if (this.#isIdle && this.#client.status === 'ready') {
      const message = this.#waiting.seal(keys, id)
      this.#outgoing = message
      this.#send()
      // Later, for it takes time.
      this.#register(waiter, message.ticket)
      return message.ticket
    }
    const ticket = this.#enqueue(keys, id)
    this.#register(waiter, ticket)
    this.#send()
    if (this.#waiting.overflow(this.#limits)) this.#sent.overflows += 1
    return ticket
  }

  #enqueue(keys: EncodedKeys, id: string | undefined): number {
    if (id !== undefined) return this.#waiting.addNamed(id, keys)
    const { ticket, coalesced } = this.#waiting.add(keys)
    this.#sent.coalescedKeys += coalesced
    return ticket
  }

  #register(waiter: Waiter, ticket: number): void {
    const deadline = performance.now() + waiter.timeoutMs
    const others = this.#waiters.get(ticket)
    if (others) others.set(waiter, deadline)
    else this.#waiters.set(ticket, new Map([[waiter, deadline]]))
    this.#deadlines.setFor(deadline)
  }

  /** The waiter is told nothing any more; its keys stay. */
  forget(waiter: Waiter, ticket: number): void {
    const waiters = this.#waiters.get(ticket)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#waiters.delete(ticket)
  }

  /** Takes nothing more. What waits is sent, if that takes no longer than `timeoutMs`; the rest is refused. */
  async close(timeoutMs: number): Promise<void> {
    this.#closedBecause ??= new Error('the invalidator is closed')
    if (!this.#isIdle) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#refuse(this.#closedBecause)
    }
    this.#leave()
  }

  get #isIdle(): boolean {
    return !this.#outgoing && this.#waiting.isEmpty
  }

  #send(): void {
    if (this.#attempt || this.#pause) return
    if (this.#isIdle) {
      this.#onIdle?.()
      return
    }
    const { status } = this.#client
    if (status === 'end') {
      this.#refuse(new Error('the client has ended and will not connect again'))
      return
    }
    this.#attend()
    if (status === 'wait') this.#client.connect().catch(() => {})
    // A connection keeps the process alive by itself.
    this.#deadlines.keepAlive(status !== 'ready')
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
    const served = this.#takeServed(message.ticket)
    // First, so that Redis has something to do meanwhile.
    this.#send()
    for (const waiter of served) waiter.resolve({ ...position })
  }

  /** Ticket by ticket: many that wait for later messages are not looked at for each message. */
  #takeServed(upTo: number): Waiter[] {
    const served: Waiter[] = []
    while (this.#servedTicket < upTo) {
      this.#servedTicket += 1
      const waiters = this.#waiters.get(this.#servedTicket)
      if (!waiters) continue
      this.#waiters.delete(this.#servedTicket)
      for (const waiter of waiters.keys()) served.push(waiter)
    }
    return served
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
    const waiters = [...this.#waiters.values()].flatMap(those => [...those.keys()])
    this.#waiters.clear()
    this.#deadlines.keepAlive(false)
    clearTimeout(this.#pause)
    this.#pause = undefined
    this.#onIdle?.()
    for (const waiter of waiters) waiter.reject(error)
  }

  #expire(now: number): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const waiters of [...this.#waiters.values()]) {
      for (const [waiter, deadline] of [...waiters]) {
        if (deadline <= now) waiter.expire()
        else earliest = Math.min(earliest, deadline)
      }
    }
    if (this.#waiters.size === 0) this.#deadlines.keepAlive(false)
    return earliest
  }

  /** Something waits: the connection is watched, until nothing has waited for a while. */
  #attend(): void {
    if (this.#watch) return
    const client = this.#client as EventEmitter
    client.on('ready', this.#sendAnew).on('end', this.#sendAnew)
    this.#watch = setInterval(() => {
      if (this.#isIdle) {
        this.#leave()
        return
      }
      // A half-open connection, or a server that accepts one and never answers the handshake: for neither has
      // ioredis a deadline by default.
      const stuck = this.#client.status === 'connect' ? 'handshake' : this.#attempt
      if (stuck && stuck === this.#stuck) this.#client.disconnect(true)
      this.#stuck = stuck
    }, this.#silenceMs).unref()
  }

  #leave(): void {
    clearInterval(this.#watch)
    this.#watch = undefined
    this.#stuck = undefined
    const client = this.#client as EventEmitter
    client.off('ready', this.#sendAnew).off('end', this.#sendAnew)
  }
}
