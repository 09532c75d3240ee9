import { Deliveries } from '../src/deliveries.js'
import type { CacheInvalidationError } from '../src/error.js'
import { type Cursor, type LogPage, noLog } from '../src/log.js'
import { LogFollower } from '../src/log-follower.js'
import { decodeMessage } from '../src/message.js'

interface Entry extends Cursor {
  text: string
}
interface Log {
  epoch: string
  first: number
  last: number
  entries: Map<number, Entry>
}
type Packet = { push: string } | { reply: LogPage; attempt: number; isBeat: boolean }
type Request = { after: Cursor | undefined; attempt: number; isBeat: boolean }

// Small, so that their edges are met.
const pageSize = 3
const maxWaiting = 3

/**
 * Publishers, a server and one subscriber, one step at a time. The steps are in the order that the test
 * chooses, so that every race is a sequence. What the subscription does with its connection is done
 * here, as it is there.
 */
export class FollowerModel {
  readonly #deliveries: Deliveries
  readonly #follower: LogFollower
  // RESP2: answers overtake messages, and the reverse.
  readonly #hasSeparateReader: boolean
  // A replica begins no log where there is none.
  readonly #isReplica: boolean

  /** What the handlers saw: keys, or the reason of a flush. */
  readonly seen: string[] = []
  readonly flushes: string[] = []
  /** Keys of messages published since the subscription began, oldest first. */
  readonly published: string[] = []
  /** Keys that nothing covers yet: neither delivered nor published before a flush. */
  readonly stale: Set<string> = new Set()
  /** Something happened that a flush is due for, or may be. */
  hasLoss: boolean = false

  #epochs = 1
  #ids = 0
  #log: Log | undefined
  #server = 'server1'
  #servers = 1
  #isSubscribed = false
  #isConnected = true
  #attempt = 0
  #isSynchronising = false
  #requests: Request[] = []
  #pushes: Packet[] = []
  #replies: Packet[] = []

  constructor(hasSeparateReader: boolean, isReplica: boolean) {
    this.#isReplica = isReplica
    const report = (error: CacheInvalidationError) => {
      // A message whose log was lost before it was read is reported, and rightly.
      if (error.code !== 'LOG_MISMATCH' || !this.hasLoss) throw error
    }
    this.#hasSeparateReader = hasSeparateReader
    this.#deliveries = new Deliveries({
      onInvalidate: keys => {
        for (const key of keys) {
          this.seen.push(key)
          this.stale.delete(key)
        }
      },
      onFlush: reason => {
        this.seen.push(`flush:${reason}`)
        this.flushes.push(reason)
        this.stale.clear()
      },
      report,
      timeoutMs: 1000,
      maxPending: 1000,
      maxPendingBytes: 1e6,
    })
    this.#follower = new LogFollower(this.#deliveries, report, maxWaiting)
  }

  #begun(): Log {
    this.#log ??= { epoch: `epoch${this.#epochs++}`, first: 1, last: 0, entries: new Map() }
    return this.#log
  }

  publish(): void {
    const log = this.#begun()
    log.last += 1
    const { epoch, last: sequence, entries } = log
    this.#ids += 1
    const [key, id] = [`key${this.#ids}`, `id${this.#ids}`]
    const text = JSON.stringify({ keys: [key], epoch, sequence, id })
    entries.set(sequence, { epoch, sequence, id, text })
    this.published.push(key)
    this.stale.add(key)
    if (this.#isSubscribed) this.#pushes.push({ push: text })
  }

  /** The log loses its older half. */
  trim(): void {
    if (!this.#log || this.#log.first >= this.#log.last) return
    this.hasLoss = true
    const { entries, last } = this.#log
    this.#log.first = Math.ceil((this.#log.first + last) / 2)
    for (const number of entries.keys()) if (number < this.#log.first) entries.delete(number)
  }

  /** The log is gone, the connection stays: FLUSHALL, or its time to live. */
  loseLog(): void {
    this.hasLoss = true
    this.#log = undefined
  }

  /** The server restarts without persistence. */
  restart(): void {
    this.cut()
    this.loseLog()
    this.#nextServer()
  }

  /** A replica takes over that lacks the newest message; the numbers are used again. */
  failOver(): void {
    this.cut()
    this.#nextServer()
    if (!this.#log) return
    this.#log.entries.delete(this.#log.last)
    this.#log.last -= 1
    if (this.#log.last < 0) this.#log = undefined
    else this.#log.first = Math.min(this.#log.first, this.#log.last + 1)
  }

  #nextServer(): void {
    this.hasLoss = true
    this.#servers += 1
    this.#server = `server${this.#servers}`
  }

  cut(): void {
    this.#isConnected = false
    this.#isSubscribed = false
    this.#isSynchronising = false
    this.#requests = []
    this.#pushes = []
    this.#replies = []
    this.#attempt += 1
    this.#follower.interrupt()
  }

  connect(): void {
    if (this.#isConnected && this.#attempt > 0) return
    this.#isConnected = true
    this.#synchronise()
  }

  /** The server handles the next request. */
  serve(): void {
    const request = this.#requests.shift()
    if (!request) return
    const { attempt, isBeat, after } = request
    const replies = this.#hasSeparateReader ? this.#replies : this.#pushes
    replies.push({ reply: this.#read(after), attempt, isBeat })
  }

  /** The subscriber gets the next message, or answer. */
  async receive(): Promise<void> {
    await this.#take(this.#pushes.shift())
  }

  async receiveReply(): Promise<void> {
    await this.#take(this.#replies.shift())
  }

  beat(): void {
    if (this.#isConnected && this.#follower.mode === 'live' && !this.#requests.some(({ isBeat }) => isBeat))
      this.#ask(true)
  }

  /** Everything that is under way arrives, and two more heartbeats. */
  async settle(): Promise<void> {
    this.connect()
    for (let beats = 0; beats < 3; beats += 1) {
      while (this.#requests.length + this.#pushes.length + this.#replies.length > 0) {
        this.serve()
        await this.receive()
        await this.receiveReply()
      }
      this.beat()
    }
  }

  get isLive(): boolean {
    return this.#follower.mode === 'live' && !this.#isSynchronising
  }

  /** Where the subscriber is, and where the log ends. */
  get positions(): [string, string] {
    const { epoch, sequence } = this.#deliveries.position ?? noLog
    return [`${epoch}/${sequence}`, `${this.#log?.epoch ?? ''}/${this.#log?.last ?? 0}`]
  }

  #synchronise(): void {
    this.#attempt += 1
    this.#isSynchronising = true
    this.#isSubscribed = true
    this.#follower.hold()
    this.#ask(false)
  }

  #ask(isBeat: boolean): void {
    this.#requests.push({ after: this.#follower.startReading(), attempt: this.#attempt, isBeat })
  }

  async #take(packet: Packet | undefined): Promise<void> {
    if (!packet) return
    if ('push' in packet) {
      const bytes = Buffer.byteLength(packet.push)
      if (!this.#follower.offer(decodeMessage(packet.push), bytes)) this.#synchronise()
    } else if (packet.attempt === this.#attempt) {
      if (!packet.isBeat) this.#apply(packet.reply)
      else if (!this.#follower.agrees(packet.reply)) this.#synchronise()
    }
    await this.#deliveries.idle()
  }

  #apply(page: LogPage): void {
    this.#isSynchronising = !(this.#follower.apply(page) && this.#follower.goLive())
    if (this.#isSynchronising) this.#ask(false)
  }

  /** What the script in log.ts does. */
  #read(from: Cursor | undefined): LogPage {
    const server = this.#server
    if (!this.#isReplica) this.#begun()
    if (!this.#log) return { server, head: noLog, first: 1, diverged: false, after: 0, entries: [] }
    const { epoch, first, last, entries } = this.#log
    const head = entries.get(last) ?? { epoch, sequence: last, id: '' }
    // The first contact: all has been published since the subscription began.
    let after = from?.sequence ?? (first > 1 ? first - 2 : 0)
    let diverged = false
    if (from && from.epoch !== epoch) after = last
    else if (from) diverged = after > last || (after >= first && entries.get(after)?.id !== from.id)
    const texts: string[] = []
    for (let n = after + 1; !diverged && n >= first && n <= last && texts.length < pageSize; n += 1)
      texts.push((entries.get(n) as Entry).text)
    return { server, head, first, diverged, after, entries: texts }
  }
}
