import type { Deliveries } from './deliveries.js'
import { CacheInvalidationError, type FlushReason } from './error.js'
import { type Cursor, type LogPage, noLog } from './log.js'
import { decodeMessage, type Message } from './message.js'

/**
 * - `live`: in step with the log; the next number follows from the last
 * - `buffering`: the log is read; what arrives meanwhile waits
 * - `direct`: the log can't be read; what arrives is handed on as it is
 */
export type FollowerMode = 'live' | 'buffering' | 'direct'

interface Waiting {
  message: Message
  entry: Cursor
  bytes: number
}

/** Where keys and flushes go, in order. */
export type Receiver = Pick<Deliveries, 'push' | 'flush' | 'adopt'>

/** The bound of what waits while the log is read. */
const maxWaitingBytes = 16 * 1024 * 1024

/**
 * Merges what is published live with what is read from the log: every logged message once, in the
 * order of its number, whatever arrives twice, late, or not at all.
 *
 * After centrifuge (Go): the log is read once the subscription stands, so that a message is in the
 * log's answer, or arrives live, or both.
 */
export class LogFollower {
  #cursor: Cursor | undefined
  #server: string | undefined
  #mode: FollowerMode = 'buffering'
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #spilled = false
  #interrupted = false
  #unknownServerReported = false
  readonly #deliveries: Receiver
  readonly #report: (error: CacheInvalidationError) => void
  readonly #maxWaiting: number

  constructor(
    deliveries: Receiver,
    report: (error: CacheInvalidationError) => void,
    maxWaiting: number = 10_000,
  ) {
    this.#deliveries = deliveries
    this.#report = report
    this.#maxWaiting = maxWaiting
  }

  get mode(): FollowerMode {
    return this.#mode
  }

  /** The connection broke: what waits may have holes, and the next server may be another. */
  interrupt(): void {
    this.#interrupted = true
    this.#hold()
  }

  /** The log will be read: what arrives from now on waits. */
  hold(): void {
    if (this.#mode !== 'buffering') this.#hold()
  }

  /** The log is read now. Answers up to where messages have been received; undefined before the first contact. */
  startReading(): Cursor | undefined {
    this.#spilled = false
    return this.#cursor
  }

  #hold(): void {
    this.#mode = 'buffering'
    this.#waiting = []
    this.#waitingBytes = 0
    this.#spilled = false
  }

  /** A message arrived. Answers `false` when it doesn't follow, and the log has to be read. */
  offer(message: Message, bytes: number): boolean {
    const { entry } = message
    if (!entry || this.#mode === 'direct') {
      this.#deliveries.push(message, bytes, this.#cursor)
      return true
    }
    const wasLive = this.#mode === 'live'
    if (wasLive && this.#take(message, entry, bytes)) return true
    this.hold()
    this.#wait({ message, entry, bytes })
    return !wasLive
  }

  #wait(waiting: Waiting): void {
    if (this.#waiting.length >= this.#maxWaiting || this.#waitingBytes + waiting.bytes > maxWaitingBytes) {
      this.#hold()
      this.#spilled = true
      return
    }
    this.#waiting.push(waiting)
    this.#waitingBytes += waiting.bytes
  }

  /** Takes a message that follows, or that is known already. Answers whether it was one. */
  #take(message: Message, entry: Cursor, bytes: number): boolean {
    const { epoch, sequence } = this.#cursor ?? noLog
    const isSameLog = entry.epoch === epoch
    if (isSameLog && entry.sequence <= sequence) return true
    if (entry.sequence !== sequence + 1 || !(isSameLog || epoch === '')) return false
    this.#cursor = entry
    this.#deliveries.push(message, bytes, entry)
    return true
  }

  /** Whether a look at the log shows nothing that is not known. */
  agrees(page: LogPage): boolean {
    const { sequence = -1 } = this.#cursor ?? {}
    return this.#flushReason(page) === undefined && page.head.sequence <= sequence
  }

  /** What the log shows. Answers whether it has been read to its end. */
  apply(page: LogPage): boolean {
    const reason = this.#flushReason(page)
    this.#identify(page.server)
    if (reason) {
      this.#flush(reason, page.head)
      return true
    }
    if (!this.#cursor) {
      const { head, after } = page
      this.#cursor = after === head.sequence ? head : { ...head, sequence: after, id: '' }
      this.#deliveries.adopt(this.#cursor)
    }
    return this.#replay(page)
  }

  #flushReason({ server, head, first, after, diverged }: LogPage): FlushReason | undefined {
    if (this.#cursor) {
      const { epoch } = this.#cursor
      // Without a log, as on a replica, nobody knows what was in one while the connection was broken.
      if (head.epoch !== epoch || (epoch === '' && this.#interrupted)) return 'epoch'
      const isIdentified = server !== undefined && this.#server !== undefined
      const isSame = isIdentified ? server === this.#server : !this.#interrupted
      if (!isSame || diverged) return 'server'
    } else if (this.#interrupted) {
      // A first contact that came late: what was cached meanwhile may be stale already.
      return 'epoch'
    }
    return first > after + 1 ? 'trimmed' : undefined
  }

  #identify(server: string | undefined): void {
    this.#interrupted = false
    this.#server = server
    if (server !== undefined || this.#unknownServerReported) return
    this.#unknownServerReported = true
    const message = 'INFO replication shows no master_replid: every reconnect will flush'
    this.#report(new CacheInvalidationError('SERVER_UNKNOWN', message))
  }

  #flush(reason: FlushReason, head: Cursor): void {
    this.#cursor = head
    this.#deliveries.flush(reason, head)
  }

  #replay({ head, entries }: LogPage): boolean {
    for (const text of entries) {
      try {
        const message = decodeMessage(text)
        if (!message.entry || !this.#take(message, message.entry, Buffer.byteLength(text)))
          throw new CacheInvalidationError(
            'LOG_MISMATCH',
            `The log holds a message out of its place: ${text}`,
          )
      } catch (error) {
        this.#report(error as CacheInvalidationError)
        this.#flush('trimmed', head)
        return true
      }
    }
    return (this.#cursor?.sequence ?? 0) >= head.sequence
  }

  /**
   * The log has been read to its end: what waited is merged, and live messages follow. Answers `false`
   * when too much came meanwhile to be kept, and the log has to be read once more.
   */
  goLive(): boolean {
    if (this.#spilled) return false
    const waiting = this.#waiting
    this.#hold()
    this.#mode = 'live'
    for (const { message, entry, bytes } of waiting) {
      if (this.#take(message, entry, bytes)) continue
      // Its log is gone, or another than this, or the number is made up. Its keys may be stale all the same.
      const place = `${entry.epoch}/${entry.sequence}`
      this.#report(
        new CacheInvalidationError(
          'LOG_MISMATCH',
          `The log does not hold message ${place} that was published`,
        ),
      )
      this.#deliveries.push(message, bytes, this.#cursor)
    }
    return true
  }

  /** The log can't be read: nothing that arrives is held back. */
  goDirect(): void {
    const waiting = this.#waiting
    this.#hold()
    this.#mode = 'direct'
    for (const { message, bytes } of waiting) this.#deliveries.push(message, bytes, this.#cursor)
  }
}
