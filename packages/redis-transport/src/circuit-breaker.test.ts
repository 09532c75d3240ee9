import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Attempt, CircuitBreaker } from './circuit-breaker.js'

/** A breaker whose clock stands until it is moved, with waits of exactly resetMs unless told. */
function withClock(failures = 3, random = () => 0.5) {
  const clock = { now: 0 }
  const breaker = new CircuitBreaker({ failures, resetMs: 100, now: () => clock.now, random })
  const fail = (times = 1) => {
    for (let i = 0; i < times; i += 1) (breaker.admit() as Attempt).fail()
  }
  return { clock, breaker, fail }
}

describe('the breaker', () => {
  it('I5: opens after so many failures in a row, and lets nothing through', () => {
    const { breaker, fail } = withClock()
    fail(2)
    breaker.admit()?.succeed()
    fail(2)
    expect(breaker.state).toBe('closed')
    fail()
    expect(breaker.state).toBe('open')
    expect(breaker.openings).toBe(1)
    expect(breaker.admit()).toBeUndefined()
  })

  it('I6: lets exactly one probe through, and closes when it succeeds', () => {
    const { clock, breaker, fail } = withClock()
    fail(3)
    clock.now = 99.9
    expect(breaker.admit()).toBeUndefined()
    clock.now = 100
    const probe = breaker.admit() as Attempt
    expect(breaker.state).toBe('half-open')
    clock.now = 10_000
    expect([breaker.admit(), breaker.admit()]).toEqual([undefined, undefined])
    expect(breaker.probes).toBe(1)
    probe.succeed()
    expect(breaker.state).toBe('closed')
    fail(2)
    expect(breaker.state).toBe('closed')
  })

  it('I6: waits twice as long after each probe that fails, up to 8 times, and anew after one that succeeds', () => {
    const { clock, breaker, fail } = withClock()
    const waits: number[] = []
    const measure = () => {
      const from = clock.now
      for (;;) {
        const probe = breaker.admit()
        if (probe) {
          waits.push(clock.now - from)
          return probe
        }
        clock.now += 1
      }
    }
    fail(3)
    for (let i = 0; i < 6; i += 1) measure().fail()
    measure().succeed()
    fail(3)
    measure().fail()
    expect(waits).toEqual([100, 200, 400, 800, 800, 800, 800, 100])
    expect([breaker.openings, breaker.probes]).toEqual([2, 8])
  })

  it.each([
    [0, 80],
    [0.5, 100],
    [1 - Number.EPSILON, 120],
  ])('I6: with a jitter of ±20 %: %s', (random, wait) => {
    const { clock, breaker, fail } = withClock(1, () => random)
    fail()
    clock.now = wait - 0.001
    expect(breaker.admit()).toBeUndefined()
    clock.now = wait
    expect(breaker.admit()).toBeDefined()
  })

  it('I5: hears nothing of attempts that began before it opened', () => {
    const { clock, breaker, fail } = withClock()
    const [early, late] = [breaker.admit() as Attempt, breaker.admit() as Attempt]
    fail(3)
    early.succeed()
    expect(breaker.state).toBe('open')
    clock.now = 100
    const probe = breaker.admit() as Attempt
    late.fail()
    expect(breaker.state).toBe('half-open')
    probe.succeed()
    expect(breaker.state).toBe('closed')
  })
})

/** What the breaker is to do, written the slow way: from the whole history of one era. */
class Model {
  state = 'closed'
  results: boolean[] = []
  openedAt = 0
  failedProbes = 0
  era = 0
  openings = 0
  probes = 0
}

interface Run {
  breaker: CircuitBreaker
  clock: { now: number }
  attempts: { attempt: Attempt; era: number; done: boolean }[]
}

const limit = 3
const resetMs = 100

class Admit implements fc.Command<Model, Run> {
  check = () => true
  toString = () => 'admit'
  run(model: Model, { breaker, clock, attempts }: Run) {
    const wait = resetMs * Math.min(2 ** model.failedProbes, 8)
    const isProbe = model.state === 'open' && clock.now >= model.openedAt + wait
    if (isProbe) Object.assign(model, { state: 'half-open', era: model.era + 1, probes: model.probes + 1 })
    const attempt = breaker.admit()
    expect(attempt !== undefined).toBe(model.state === 'closed' || isProbe)
    if (attempt) attempts.push({ attempt, era: model.era, done: false })
    expectAlike(model, breaker)
  }
}

class Conclude implements fc.Command<Model, Run> {
  readonly which: number
  readonly isGood: boolean
  constructor(which: number, isGood: boolean) {
    this.which = which
    this.isGood = isGood
  }
  check = () => true
  toString = () => `${this.isGood ? 'succeed' : 'fail'} ${this.which}`
  run(model: Model, { breaker, clock, attempts }: Run) {
    const pending = attempts.filter(({ done }) => !done)
    const chosen = pending[this.which % (pending.length || 1)]
    if (!chosen) return
    chosen.done = true
    chosen.attempt[this.isGood ? 'succeed' : 'fail']()
    if (chosen.era === model.era) {
      model.results.push(this.isGood)
      if (model.state === 'half-open') {
        const failedProbes = this.isGood ? 0 : model.failedProbes + 1
        const state = this.isGood ? 'closed' : 'open'
        Object.assign(model, { state, failedProbes, era: model.era + 1, results: [], openedAt: clock.now })
      } else if (model.results.length >= limit && !model.results.slice(-limit).includes(true)) {
        const openings = model.openings + 1
        Object.assign(model, {
          state: 'open',
          openings,
          era: model.era + 1,
          results: [],
          openedAt: clock.now,
        })
      }
    }
    expectAlike(model, breaker)
  }
}

class Wait implements fc.Command<Model, Run> {
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
  check = () => true
  toString = () => `wait ${this.ms}`
  run(_: Model, { clock }: Run) {
    clock.now += this.ms
  }
}

function expectAlike(model: Model, breaker: CircuitBreaker): void {
  const { state, openings, probes } = breaker
  expect({ state, openings, probes }).toEqual({
    state: model.state,
    openings: model.openings,
    probes: model.probes,
  })
}

it('I5, I6: does what a model of it does, in any order of calls, results and time', () => {
  const commands = [
    fc.constant(new Admit()),
    fc.tuple(fc.nat(20), fc.boolean()).map(([which, isGood]) => new Conclude(which, isGood)),
    fc.nat(20).map(which => new Conclude(which, false)),
    fc.constantFrom(1, 50, 100, 200, 800).map(ms => new Wait(ms)),
  ]
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 200, size: 'max' }), cmds => {
      const clock = { now: 0 }
      const breaker = new CircuitBreaker({
        failures: limit,
        resetMs,
        now: () => clock.now,
        random: () => 0.5,
      })
      fc.modelRun(() => ({ model: new Model(), real: { breaker, clock, attempts: [] } }), cmds)
    }),
    { numRuns: 500 },
  )
})
