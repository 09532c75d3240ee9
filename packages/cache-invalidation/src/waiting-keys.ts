import { randomUUID } from 'node:crypto'
import { type EncodedKeys, encodedBytes, FLUSH_MEMBERS, keyMembers } from './message.js'

/** A message with more than one publication's keys is closed at 64 KiB: it keeps Redis and subscribers for less than a millisecond. */
const gatheredBytes = 64 * 1024

/** How much may wait for Redis before it becomes one message that says: everything is stale. */
export interface QueueLimits {
  /** Keys. */
  maxKeys: number
  /** Bytes of the keys as JSON. */
  maxBytes: number
}

/** A message on its way. It is the same each time it is sent. */
export interface Outgoing {
  /** Of the message: JSON of an object, without its braces. */
  members: string
  id: string
  keys: number
  bytes: number
  /** The ticket of the last that it holds. */
  ticket: number
}

/** What was given an id of its own waits as it is. */
interface Waiting {
  ticket: number
  keys: number
  bytes: number
  members?: string
}

/**
 * Keys that wait for Redis: each once, in the order in which they came. What is added gets a ticket, a number that
 * grows: it is out when a message with that ticket, or a later one, is.
 */
export class WaitingKeys {
  /** By a key as JSON, which begins with a quote, or by a message's own id. */
  readonly #waiting = new Map<string, Waiting>()
  /** Nobody else's messages have an id that begins so. */
  readonly #name = randomUUID()
  #lastTicket = 0
  #keys = 0
  #bytes = 0
  /** The ticket of a flush that waits. It covers all that comes before it is taken. */
  #flush: number | undefined

  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#flush === undefined
  }

  get keys(): number {
    return this.#keys
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A message of these keys alone, for when nothing waits: then they need not wait either. */
  seal({ json, bytes }: EncodedKeys, id: string | undefined): Outgoing {
    this.#lastTicket += 1
    const ticket = this.#lastTicket
    return { members: keyMembers(json), id: id ?? this.#idOf(ticket), keys: json.length, bytes, ticket }
  }

  /** Adds keys. Answers the ticket after which all of them are out, and how many were waiting already. */
  add({ json: keys }: EncodedKeys): { ticket: number; coalesced: number } {
    if (this.#flush !== undefined) return { ticket: this.#flush, coalesced: keys.length }
    let ticket = 0
    let coalesced = 0
    for (const json of keys) {
      const waiting = this.#waiting.get(json)
      if (waiting) coalesced += 1
      ticket = Math.max(ticket, waiting?.ticket ?? this.#add(json, { keys: 1, bytes: encodedBytes(json) }))
    }
    return { ticket, coalesced }
  }

  /** Adds keys that have to be a message of their own, under this id. */
  addNamed(id: string, { json, bytes }: EncodedKeys): number {
    return (
      this.#flush ??
      this.#waiting.get(id)?.ticket ??
      this.#add(id, { keys: json.length, bytes, members: keyMembers(json) })
    )
  }

  #add(name: string, waiting: Omit<Waiting, 'ticket'>): number {
    this.#lastTicket += 1
    this.#waiting.set(name, { ...waiting, ticket: this.#lastTicket })
    this.#keys += waiting.keys
    this.#bytes += waiting.bytes
    return this.#lastTicket
  }

  /** When too much waits all of it becomes a flush. Answers whether it did. */
  overflow({ maxKeys, maxBytes }: QueueLimits): boolean {
    if (this.#keys <= maxKeys && this.#bytes <= maxBytes) return false
    this.clear()
    this.#lastTicket += 1
    this.#flush = this.#lastTicket
    return true
  }

  clear(): void {
    this.#waiting.clear()
    this.#keys = 0
    this.#bytes = 0
    this.#flush = undefined
  }

  /** Takes the next message out. */
  take(): Outgoing | undefined {
    if (this.#flush !== undefined) {
      const ticket = this.#flush
      this.#flush = undefined
      return { members: FLUSH_MEMBERS, id: this.#idOf(ticket), keys: 0, bytes: 0, ticket }
    }
    const gathered: string[] = []
    let [bytes, ticket] = [0, 0]
    for (const [name, waiting] of this.#waiting) {
      const { members } = waiting
      if (gathered.length > 0 && (members || bytes + waiting.bytes > gatheredBytes)) break
      this.#waiting.delete(name)
      if (members) return this.#out({ ...waiting, members, id: name })
      gathered.push(name)
      bytes += waiting.bytes
      ticket = waiting.ticket
    }
    if (gathered.length === 0) return undefined
    return this.#out({
      members: keyMembers(gathered),
      id: this.#idOf(ticket),
      keys: gathered.length,
      bytes,
      ticket,
    })
  }

  #idOf(ticket: number): string {
    return `${this.#name}-${ticket}`
  }

  #out(message: Outgoing): Outgoing {
    this.#keys -= message.keys
    this.#bytes -= message.bytes
    return message
  }
}
