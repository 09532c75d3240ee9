type Call = (...args: unknown[]) => unknown
type AtomicsName = 'load' | 'store' | 'notify' | 'wait' | 'waitAsync'

const atomics = Atomics as unknown as Record<AtomicsName, Call>
const original: Record<AtomicsName, Call> = {
  load: atomics.load,
  store: atomics.store,
  notify: atomics.notify,
  wait: atomics.wait,
  waitAsync: atomics.waitAsync,
}

/**
 * Runs `act` again and again, and lets the other side's `intrude` happen whole in one gap further each time:
 * before the first `Atomics` call, after it, and so on, at last after everything. `begin` makes a new ring
 * each time, and `check` sees what came of it. Answers the number of gaps.
 *
 * A side publishes with a single store, so nobody can see it half done: letting one side act in a single gap
 * of the other, and then the other way round, lets them meet in every way there is.
 */
export function inEveryGap<State, Result>(steps: {
  begin(): State
  act(state: State): Result
  intrude(state: State): void
  check(result: Result, state: State): void
}): number {
  for (let chosen = 0; chosen < 1000; chosen++) {
    const state = steps.begin()
    let gap = 0
    let intruded = false
    const intrude = (): void => {
      intruded = true
      steps.intrude(state)
    }
    const pass = (): void => {
      if (gap++ === chosen && !intruded) intrude()
    }
    /** No other thread is there to wake this one: asleep, it lets the other side act, or sleeps for ever. */
    const sleep: Call = (words, word, seen) => {
      if ((words as Int32Array)[word as number] !== seen) return 'not-equal'
      if (intruded) throw new Error(`lost wake-up: asleep on ${seen}, and nobody is left to change that`)
      intrude()
      return 'ok'
    }
    for (const [name, call] of Object.entries({ ...original, wait: sleep }) as [AtomicsName, Call][]) {
      atomics[name] = (...args) => {
        pass()
        const result = call(...args)
        pass()
        return result
      }
    }
    let result: Result
    try {
      result = steps.act(state)
    } finally {
      Object.assign(atomics, original)
    }
    if (!intruded) intrude()
    steps.check(result, state)
    if (gap <= chosen) return chosen
  }
  throw new Error('more gaps than any operation has')
}
