import type { AsyncWait, History, Next, Point } from './explore-history.js'
import { type Answer, isPlain, Memories, type Memory, type Request } from './explore-memory.js'
import { GONE } from './explore-run.js'

/** What is neither in the memory nor in what threads were told. */
export interface Scheduling {
  readonly id: number
  /** Threads inside `Atomics.wait`. */
  readonly asleep: readonly boolean[]
  /** Threads that came to a sudden end. */
  readonly dead: readonly boolean[]
  /** Waits of `waitAsync`, as `thread id`, that were notified and whose threads were not told yet. */
  readonly notified: readonly string[]
  /** How often a wait may still wake for nothing. */
  readonly spurious: number
  /** How often time may still pass while something else could happen. */
  readonly timeouts: number
  /** How often a thread that can go on may still have to let another one go first, and the one that went last. */
  readonly preemptions: number
  readonly last: number
}

/** Where all threads are at one time. */
export interface Situation {
  readonly points: readonly Point[]
  readonly memory: Memory
  readonly scheduling: Scheduling
}

/** A step that a thread can take next, and where it leads. */
export interface Move extends Situation {
  readonly thread: number
  readonly answer: Answer
}

/** What a thread does next. */
export function nextOf({ points }: Situation, thread: number): Next {
  return points[thread]?.next as Next
}

/** In place of what a thread is told: it is told nothing any more. */
export const DIES = 'dies'

/** The steps that threads can take. */
export class Moves {
  readonly first: Situation
  readonly #histories: readonly History[]
  readonly #mortal: readonly boolean[]
  readonly #racy: readonly [number, number]
  readonly #memories = new Memories()
  readonly #schedulings = new Map<string, Scheduling>()

  constructor(
    histories: readonly History[],
    initial: Buffer<ArrayBuffer>,
    limits: Pick<Scheduling, 'spurious' | 'timeouts' | 'preemptions'>,
    { mortal, racy }: { mortal: readonly boolean[]; racy: readonly [number, number] },
  ) {
    this.#histories = histories
    this.#mortal = mortal
    this.#racy = racy
    const none = histories.map(() => false)
    this.first = {
      points: histories.map(history => history.start),
      memory: this.#memories.intern(initial),
      scheduling: this.#intern({ ...limits, asleep: none, dead: none, notified: [], last: -1 }),
    }
  }

  /** What can happen next. Nothing: all threads have come to their end, or somebody sleeps for ever. */
  from(situation: Situation): Move[] {
    const { last, preemptions } = situation.scheduling
    const limited = preemptions !== Number.POSITIVE_INFINITY
    const lastGoesOn = limited && last >= 0 && this.#goesOn(situation, last)
    for (let thread = 0; thread < this.#histories.length; thread++) {
      if (this.#isLocal(situation, thread) && (!limited || thread === last)) {
        return [this.#perform(situation, thread, nextOf(situation, thread).request as Request)]
      }
    }
    const moves: Move[] = []
    const lucky: Move[] = []
    for (let thread = 0; thread < this.#histories.length; thread++) {
      const cost = Number(lastGoesOn && thread !== last)
      if (cost > preemptions) continue
      const from = limited
        ? this.#reschedule(situation, { last: thread, preemptions: preemptions - cost })
        : situation
      this.#ofThread(from, thread, moves, lucky)
    }
    return moves.length > 0 ? moves.concat(lucky) : this.#whenStuck(situation)
  }

  /** `lucky`: steps that nobody may count on. */
  #ofThread(from: Situation, thread: number, moves: Move[], lucky: Move[]): void {
    const { spurious, timeouts, asleep, dead } = from.scheduling
    if (dead[thread]) return
    if (this.#mortal[thread]) lucky.push(this.#die(from, thread))
    const { request } = nextOf(from, thread)
    if (request === undefined) {
      this.#eventsOf(from, thread, moves, lucky)
    } else if (asleep[thread]) {
      if (spurious > 0) lucky.push(this.#wake(from, thread, 'ok', { spurious: spurious - 1 }))
      if (timeouts > 0 && isTimed(request)) {
        lucky.push(this.#wake(from, thread, 'timed-out', { timeouts: timeouts - 1 }))
      }
    } else if (request.op === 'now') {
      moves.push(this.#tell(from, thread, 'now'))
      if (timeouts > 0)
        moves.push(this.#tell(this.#reschedule(from, { timeouts: timeouts - 1 }), thread, 'later'))
    } else if (request.op === 'wait' || request.op === 'waitAsync') {
      moves.push(this.#fallAsleep(from, thread, request))
    } else if (request.op === 'notify') {
      moves.push(...this.#notify(from, thread, request))
    } else {
      moves.push(this.#perform(from, thread, request))
    }
  }

  /** Whether what a thread does next is all one to the others, now and until it does something else. */
  #isLocal(situation: Situation, thread: number): boolean {
    const { request } = nextOf(situation, thread)
    if (request === undefined || !isPlain(request)) return false
    const [from, to] = this.#racy
    return !situation.scheduling.dead[thread] && (request.byte < from || request.byte >= to)
  }

  #perform(from: Situation, thread: number, request: Request): Move {
    const { answer, memory } = this.#memories.perform(request, from.memory)
    return this.#tell({ ...from, memory }, thread, answer)
  }

  /** What may come to a thread that is in its event loop. */
  #eventsOf(from: Situation, thread: number, moves: Move[], lucky: Move[]): void {
    const { spurious, timeouts, notified, dead } = from.scheduling
    const { waits, bereaved } = from.points[thread] as Point
    if (dead.includes(true) && !bereaved) moves.push(this.#tell(from, thread, GONE))
    for (const { id } of waits) {
      const others = notified.filter(name => name !== `${thread} ${id}`)
      if (others.length < notified.length) {
        moves.push(this.#tell(this.#reschedule(from, { notified: others }), thread, `wake ${id}`))
      } else if (spurious > 0) {
        lucky.push(this.#tell(this.#reschedule(from, { spurious: spurious - 1 }), thread, `wake ${id}`))
      }
    }
    if (timeouts === 0) return
    const later = this.#reschedule(from, { timeouts: timeouts - 1 })
    for (const timer of timersOf(nextOf(from, thread)))
      lucky.push(this.#tell(later, thread, `timer ${timer}`))
  }

  /** Nobody can go on: then time passes, if somebody waits for that. */
  #whenStuck(from: Situation): Move[] {
    const moves: Move[] = []
    for (let thread = 0; thread < this.#histories.length; thread++) {
      if (from.scheduling.dead[thread]) continue
      const next = nextOf(from, thread)
      if (next.request !== undefined) {
        if (isTimed(next.request)) moves.push(this.#wake(from, thread, 'timed-out'))
      } else if (!next.settled) {
        for (const timer of next.timers) moves.push(this.#tell(from, thread, `timer ${timer}`))
      }
    }
    return moves
  }

  #goesOn(situation: Situation, thread: number): boolean {
    const { asleep, notified, dead } = situation.scheduling
    if (dead[thread]) return false
    if (nextOf(situation, thread).request !== undefined) return !asleep[thread]
    return notified.some(name => name.startsWith(`${thread} `))
  }

  #fallAsleep(from: Situation, thread: number, request: Request): Move {
    const { answer } = this.#memories.perform({ ...request, op: 'load', args: [] }, from.memory)
    if (answer !== request.args[0]) return this.#tell(from, thread, 'not-equal')
    if (request.op === 'waitAsync') return this.#tell(from, thread, 'async')
    const asleep = from.scheduling.asleep.with(thread, true)
    return { ...this.#reschedule(from, { asleep }), thread, answer: undefined }
  }

  /** Wakes all, or when one is asked for, any one of them. */
  #notify(from: Situation, thread: number, request: Request): Move[] {
    const sleepers = this.#sleepersOn(request.byte, from)
    const count = (request.args[0] as number | undefined) ?? Number.POSITIVE_INFINITY
    if (count < sleepers.length && count !== 1) throw new Error(`a notify of ${count} is not modelled`)
    const choices = count < sleepers.length ? sleepers.map(sleeper => [sleeper]) : [sleepers]
    return choices.map(woken => {
      let { asleep, notified } = from.scheduling
      const points = [...from.points]
      for (const { sleeper, wait } of woken) {
        if (wait !== undefined) {
          notified = [...notified, `${sleeper} ${wait.id}`].sort()
        } else {
          asleep = asleep.with(sleeper, false)
          points[sleeper] = this.#follow(from, sleeper, 'ok')
        }
      }
      const { memory, scheduling } = this.#reschedule(from, { asleep, notified })
      return this.#tell({ points, memory, scheduling }, thread, woken.length)
    })
  }

  #sleepersOn(byte: number, { points, scheduling }: Situation): { sleeper: number; wait?: AsyncWait }[] {
    const { asleep, notified, dead } = scheduling
    return points.flatMap((point, sleeper) => {
      if (dead[sleeper]) return []
      const waits = point.waits.filter(
        wait => wait.byte === byte && !notified.includes(`${sleeper} ${wait.id}`),
      )
      const sleepers: { sleeper: number; wait?: AsyncWait }[] = waits.map(wait => ({ sleeper, wait }))
      if (asleep[sleeper] && point.next?.request?.byte === byte) sleepers.push({ sleeper })
      return sleepers
    })
  }

  #wake(from: Situation, thread: number, answer: Answer, change: Partial<Scheduling> = {}): Move {
    const asleep = from.scheduling.asleep.with(thread, false)
    return this.#tell(this.#reschedule(from, { ...change, asleep }), thread, answer)
  }

  #die(from: Situation, thread: number): Move {
    const dead = from.scheduling.dead.with(thread, true)
    return { ...this.#reschedule(from, { dead }), thread, answer: DIES }
  }

  #tell(from: Situation, thread: number, answer: Answer): Move {
    const points = from.points.with(thread, this.#follow(from, thread, answer))
    return { thread, answer, points, memory: from.memory, scheduling: from.scheduling }
  }

  #follow({ points }: Situation, thread: number, answer: Answer): Point {
    return (this.#histories[thread] as History).follow(points[thread] as Point, answer)
  }

  #reschedule({ points, memory, scheduling }: Situation, change: Partial<Scheduling>): Situation {
    return { points, memory, scheduling: this.#intern({ ...scheduling, ...change }) }
  }

  #intern(scheduling: Omit<Scheduling, 'id'>): Scheduling {
    const { asleep, dead, notified, spurious, timeouts, last, preemptions } = scheduling
    const key = `${asleep},${dead},${notified},${spurious},${timeouts},${last},${preemptions}`
    let known = this.#schedulings.get(key)
    if (known === undefined) {
      known = { ...scheduling, id: this.#schedulings.size }
      this.#schedulings.set(key, known)
    }
    return known
  }
}

function timersOf(next: Next): readonly number[] {
  return next.request === undefined ? next.timers : []
}

function isTimed({ op, args }: Request): boolean {
  return op === 'wait' && Number.isFinite(args[1])
}
