import { History, type Point } from './explore-history.js'
import { intercept } from './explore-intercept.js'
import { type Answer, type Request, race } from './explore-memory.js'
import { DIES, type Move, Moves, nextOf, type Situation } from './explore-moves.js'
import type { Thread } from './explore-run.js'

export type { Thread } from './explore-run.js'

// Explores how threads can meet: every order of their accesses to shared memory, of the shipped code, without a
// copy or a model of it. A thread's next step depends only on what it was told until then, so a state is: what each
// thread was told, the memory, and who is asleep. Equal states are explored once; all ways to a state have the same
// length, so that going by length, and adding up the ways, counts the schedules exactly.
//
// Accesses happen in one order that all threads see. JavaScript's memory model promises just that as long as no plain
// access races with another access, and each state is checked for that. Then it is all one when a plain access happens
// between the calls of `Atomics` before and after it, so it happens at once, and only the order of those calls is
// explored. A race is found all the same: what others do before the thread's next call is compared with it.

/** Threads that share memory, and what must hold however they meet. */
export interface Scenario {
  readonly name: string
  /** The memory before any thread acts. */
  readonly memory: () => SharedArrayBuffer
  readonly threads: Readonly<Record<string, Thread>>
  /** Called for every way in which all of it can end. */
  readonly check?: (end: End) => void
  /** Names of places for the report, by their first byte. */
  readonly places?: Readonly<Record<number, string>>
  /** How often at most a wait wakes for nothing. Default 0. */
  readonly spurious?: number
  /** How often at most time passes, at a wait, a timer or a look at the clock. Default 0: only when nothing else can. */
  readonly timeouts?: number
  /** How often at most a thread that could go on has to let another one go first. Default: no limit. */
  readonly preemptions?: number
  /** Threads that may die, before any of their calls of `Atomics` and after the last. */
  readonly mortal?: readonly string[]
  /** Bytes where plain accesses race on purpose, from and up to: what is read there then must not matter. */
  readonly racy?: readonly [number, number]
  /** It is an error to meet more states. Default a million. */
  readonly limit?: number
}

/** One way in which all threads have come to their end. */
export interface End {
  /** What each thread returned, or its promise resolved to, unless it died. */
  readonly results: Readonly<Record<string, unknown>>
  /** All that a thread asked, with the answers. */
  readonly heard: (name: string) => Heard[]
  /** How many calls of `waitAsync` are pending still, of threads that live. */
  readonly waiting: number
  readonly memory: Uint8Array
}

/** A request of a thread, `undefined` for what came to its event loop, and what it was told. */
export interface Heard {
  readonly request: Request | undefined
  readonly answer: Answer
}

/** What was explored. */
export interface Report {
  readonly states: number
  readonly transitions: number
  /** How many orders of calls of `Atomics` that stands for. */
  readonly schedules: bigint
}

/** No state has more moves. */
const MOVES = 256

/** More accesses than any thread of a scenario makes: it goes round in circles. */
const LONGEST = 500

/**
 * Explores the scenario, and prints one line of how much that was. Throws with the shortest schedule that leads there
 * when a thread throws, `check` does, threads sleep for ever, or plain accesses race.
 */
export async function explore(scenario: Scenario): Promise<Report> {
  if (exploring !== undefined)
    throw new Error(`Cannot explore ${scenario.name}: ${exploring} is being explored`)
  exploring = scenario.name
  const restore = intercept()
  try {
    const report = await new Exploration(scenario).run()
    total.scenarios++
    total.states += report.states
    total.schedules += report.schedules
    console.log(describeReport(scenario, report))
    return report
  } finally {
    restore()
    exploring = undefined
  }
}

/** Only one at a time: what is replaced belongs to all. */
let exploring: string | undefined

const total = { scenarios: 0, states: 0, schedules: 0n }

/** One line of how much was explored in all, in this process or test file. */
export function exploredInAll(): string {
  const { scenarios, states, schedules } = total
  return `explored in all: ${scenarios} scenarios, ${states} states, ${round(schedules)} schedules`
}

/** The number, or its first digits. */
function round(count: bigint): string {
  const digits = String(count)
  return digits.length > 9 ? `${digits[0]}.${digits.slice(1, 3)}e${digits.length - 1}` : digits
}

function describeReport({ name, preemptions }: Scenario, { states, transitions, schedules }: Report): string {
  const how = preemptions === undefined ? 'exhaustive' : `up to ${preemptions} preemptions`
  return `explored ${name}: ${round(schedules)} schedules, ${how}; ${states} states, ${transitions} transitions`
}

interface State extends Situation {
  readonly number: number
  schedules: bigint
}

class Exploration {
  readonly #scenario: Scenario
  readonly #names: readonly string[]
  readonly #histories: readonly History[]
  readonly #moves: Moves
  /** By number of a state: the number of the one before it, times `MOVES`, and which of its moves led here. */
  readonly #origins: number[] = []

  constructor(scenario: Scenario) {
    const { memory, threads, mortal = [], racy = [0, 0] } = scenario
    const { spurious = 0, timeouts = 0, preemptions = Number.POSITIVE_INFINITY } = scenario
    this.#scenario = scenario
    this.#names = Object.keys(threads)
    const initial = Buffer.from(new Uint8Array(memory()).slice().buffer)
    this.#histories = Object.values(threads).map(thread => new History(thread, initial, timeouts > 0))
    this.#moves = new Moves(
      this.#histories,
      initial,
      { spurious, timeouts, preemptions },
      { mortal: this.#names.map(name => mortal.includes(name)), racy },
    )
  }

  async run(): Promise<Report> {
    let schedules = 0n
    let transitions = 0
    let layer = [this.#number(this.#moves.first, 1n, 0)]
    const looking = this.#look(layer[0] as State)
    if (looking !== undefined) await looking
    while (layer.length > 0) {
      const next = new Map<string, State>()
      for (const state of layer) {
        this.#refuseRaces(state)
        const moves = this.#moves.from(state)
        transitions += moves.length
        if (moves.length === 0) {
          this.#end(state)
          schedules += state.schedules
        }
        for (let index = 0; index < moves.length; index++) {
          const move = moves[index] as Move
          const key = keyOf(move)
          const known = next.get(key)
          if (known !== undefined) {
            known.schedules += state.schedules
            continue
          }
          const reached = this.#number(move, state.schedules, state.number * MOVES + index)
          next.set(key, reached)
          const looking = this.#look(reached)
          if (looking !== undefined) await looking
        }
      }
      layer = [...next.values()]
    }
    return { states: this.#origins.length, transitions, schedules }
  }

  #number({ points, memory, scheduling }: Situation, schedules: bigint, origin: number): State {
    const { name, limit = 1_000_000 } = this.#scenario
    if (this.#origins.push(origin) > limit) {
      throw new Error(`${name}: more than ${limit} states; limit the preemptions`)
    }
    return { points, memory, scheduling, number: this.#origins.length - 1, schedules }
  }

  /** Finds out what each thread does next. */
  #look(state: State): Promise<void> | undefined {
    let looking: Promise<void> | undefined
    for (let thread = 0; thread < state.points.length; thread++) {
      const point = state.points[thread] as Point
      if (point.next !== undefined) continue
      looking = looking?.then(() => this.#lookAt(state, point, thread)) ?? this.#lookAt(state, point, thread)
    }
    return looking
  }

  #lookAt(state: State, point: Point, thread: number): Promise<void> | undefined {
    const blame = (thrown: unknown): never =>
      this.#fail(state, `${this.#names[thread]} throws ${describe(thrown)}`, thrown)
    if (point.depth > LONGEST) return this.#fail(state, `${this.#names[thread]} comes to no end`)
    try {
      return this.#histories[thread]?.look(point)?.catch(blame)
    } catch (thrown) {
      return blame(thrown)
    }
  }

  #refuseRaces(state: State): void {
    const { asleep, dead } = state.scheduling
    for (let thread = 0; thread < this.#names.length; thread++) {
      const request = asleep[thread] || dead[thread] ? undefined : nextOf(state, thread).request
      if (request === undefined) continue
      for (let other = 0; other < this.#names.length; other++) {
        if (other === thread || asleep[other] || dead[other]) continue
        const { plain, next } = state.points[other] as Point
        this.#refuseRace(state, [thread, request], [other, next?.request])
        for (const before of plain) this.#refuseRace(state, [thread, request], [other, before])
      }
    }
  }

  #refuseRace(state: State, ...both: [[number, Request], [number, Request | undefined]]): void {
    const [[, one], [, other]] = both
    const [from, to] = this.#scenario.racy ?? [0, 0]
    if (other === undefined || !race(one, other) || (one.byte >= from && one.byte < to)) return
    const calls = both.map(([thread, request]) => `${this.#names[thread]}: ${this.#call(request as Request)}`)
    this.#fail(state, `two accesses race, ${calls.join(' and ')}`)
  }

  #end(state: State): void {
    const results: Record<string, unknown> = {}
    const asleep: string[] = []
    this.#names.forEach((name, thread) => {
      if (state.scheduling.dead[thread]) return
      const next = nextOf(state, thread)
      if (next.request !== undefined || !next.settled) asleep.push(name)
      else if (next.alive) this.#fail(state, `${name} is done, and has a timer left`)
      else results[name] = next.value
    })
    if (asleep.length > 0) this.#fail(state, `nothing wakes ${asleep.join(' and ')} any more`)
    const { dead } = state.scheduling
    const waiting = state.points.reduce((sum, { waits }, at) => sum + (dead[at] ? 0 : waits.length), 0)
    try {
      const heard = (name: string): Heard[] => heardAt(state.points[this.#names.indexOf(name)])
      this.#scenario.check?.({ results, heard, waiting, memory: Uint8Array.from(state.memory.bytes) })
    } catch (thrown) {
      this.#fail(state, describe(thrown), thrown)
    }
  }

  #fail(state: State, what: string, cause?: unknown): never {
    const found = `${this.#scenario.name}: ${what} (found after ${this.#origins.length} states)`
    throw new Error([found, ...this.#way(state)].join('\n'), { cause })
  }

  /** The way to a state, a line for each step. */
  #way({ number }: State): string[] {
    const indices: number[] = []
    for (let at = number; at > 0; ) {
      const origin = this.#origins[at] as number
      indices.unshift(origin % MOVES)
      at = Math.floor(origin / MOVES)
    }
    const width = Math.max(...this.#names.map(name => name.length))
    let situation = this.#moves.first
    return indices.map((index, step) => {
      const move = this.#moves.from(situation)[index] as Move
      const { request } = nextOf(situation, move.thread)
      situation = move
      const name = (this.#names[move.thread] ?? '').padEnd(width)
      if (move.answer === DIES) return `${String(step + 1).padStart(4)}  ${name}  dies`
      const told =
        move.answer === undefined ? (request?.op === 'wait' ? 'sleeps' : 'done') : String(move.answer)
      const text = request === undefined ? `event loop: ${told}` : `${this.#call(request)}: ${told}`
      return `${String(step + 1).padStart(4)}  ${name}  ${text}`
    })
  }

  #call(request: Request): string {
    const { op, args } = request
    if (op === 'now') return 'look at the clock'
    const given = op === 'wait' ? args.slice(0, 1) : args
    return [op, this.#place(request), ...given.map(value => JSON.stringify(value))].join(' ')
  }

  #place({ byte, bytes }: Request): string {
    const { places = {} } = this.#scenario
    const from = Math.max(
      0,
      ...Object.keys(places)
        .map(Number)
        .filter(at => at <= byte),
    )
    const offset = byte > from ? `+${byte - from}` : ''
    return `${places[from] ?? 'byte'}${offset}${bytes > 8 ? ` (${bytes} bytes)` : ''}`
  }
}

function heardAt(point: Point | undefined): Heard[] {
  const heard: Heard[] = []
  for (let at = point; at?.before !== undefined; at = at.before) {
    heard.unshift({ request: at.before.next?.request, answer: at.answer })
  }
  return heard
}

function keyOf({ points, memory, scheduling }: Situation): string {
  let key = `${memory.id},${scheduling.id}`
  for (const { id } of points) key += `,${id}`
  return key
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
}
