import { expect } from 'vitest'

const operations = ['load', 'store', 'exchange', 'compareExchange', 'notify', 'wait', 'waitAsync'] as const

/** Others come in just before operation number `positions[i]` of the call, in their order. How many did. */
function runPreempted(call: () => void, others: (() => void)[], positions: number[]): number {
  const originals = operations.map(name => [name, Atomics[name]] as const)
  let made = 0
  let came = 0
  let inside = false
  const letOthersCome = () => {
    inside = true
    for (; positions[came] === made; came++) others[came]?.()
    inside = false
  }
  for (const [name, original] of originals) {
    const counting = (...args: never[]) => {
      if (!inside) {
        letOthersCome()
        made++
      }
      return Reflect.apply(original, Atomics, args)
    }
    Object.assign(Atomics, { [name]: counting })
  }
  try {
    call()
  } finally {
    for (const [name, original] of originals) Object.assign(Atomics, { [name]: original })
  }
  return came
}

/** What one way of meeting consists of. */
export interface Meeting {
  call: () => void
  /** Each is undivided; they come in this order. */
  others: (() => void)[]
  /** What must hold in the end. */
  check: () => void | Promise<void>
}

/**
 * Every way in which the others can come before, between and after the atomic operations of the call, as if they were other
 * threads. `prepare` makes all anew each time.
 */
export async function explorePreemptions(prepare: () => Meeting): Promise<void> {
  let meetings = 0
  /** Answers whether the last of the others came in before the call was over. */
  const meet = async (positions: number[]): Promise<boolean> => {
    const { call, others, check } = prepare()
    const came = runPreempted(call, others, positions)
    for (const late of others.slice(came)) late()
    expect(meetings++, 'ways to meet').toBeLessThan(10_000)
    await check()
    return came === others.length
  }
  const others = prepare().others.length
  /** Fixes the position of one after the other; answers whether the first position was within the call. */
  const place = async (positions: number[]): Promise<boolean> => {
    if (positions.length === others) return meet(positions)
    let within = true
    let any = false
    for (let at = positions.at(-1) ?? 0; within; at++) {
      within = await place([...positions, at])
      any ||= within
    }
    return any
  }
  await place([])
  expect(meetings, 'ways to meet').toBeGreaterThan(others)
}
