import { describe, expect, test } from 'vitest'
import { explore, type Thread } from '../explore.js'

const memory = (): SharedArrayBuffer => new SharedArrayBuffer(8)
const places = { 0: 'flag', 4: 'data' }

/** A thread with the two words of the memory. */
function words(act: (words: Int32Array) => unknown): Thread {
  return memory => {
    const words = new Int32Array(memory)
    return () => act(words)
  }
}

/** Sleeps until the flag is 1. */
const sleeper = words(words => {
  for (let seen = Atomics.load(words, 0); seen === 0; seen = Atomics.load(words, 0))
    Atomics.wait(words, 0, seen)
})
const waker = words(words => {
  Atomics.store(words, 0, 1)
  Atomics.notify(words, 0)
})

test('every order of accesses is explored once', async () => {
  const three = words(words => {
    for (let count = 0; count < 3; count++) Atomics.add(words, 0, 1)
  })
  const report = await explore({
    name: 'two threads of three accesses',
    memory,
    threads: { one: three, two: three },
    check: ({ memory }) => expect(memory[0]).toBe(6),
  })
  expect(report.schedules).toBe(20n) // 3 of 6 places
})

test('every outcome is found', async () => {
  const losing = words(words => Atomics.store(words, 0, Atomics.load(words, 0) + 1))
  const counts = new Set<unknown>()
  await explore({
    name: 'lost increments',
    memory,
    threads: { one: losing, two: losing, three: losing },
    check: ({ memory }) => counts.add(memory[0]),
  })
  expect([...counts].sort()).toEqual([1, 2, 3])
  const undisturbed = new Set<unknown>()
  await explore({
    name: 'lost increments',
    memory,
    threads: { one: losing, two: losing, three: losing },
    preemptions: 0,
    check: ({ memory }) => undisturbed.add(memory[0]),
  })
  expect([...undisturbed]).toEqual([3])
})

describe('it is an error, with the shortest schedule, when', () => {
  test('a wake-up is lost', async () => {
    await explore({ name: 'look, then sleep on what was seen', memory, threads: { sleeper, waker } })
    const late = words(words => {
      Atomics.notify(words, 0)
      Atomics.store(words, 0, 1)
    })
    const exploring = explore({
      name: 'a notify before its store',
      memory,
      places,
      threads: { sleeper, late },
    })
    await expect(exploring).rejects.toThrow(
      [
        'nothing wakes sleeper any more (found after 17 states)',
        '   1  sleeper  load flag: 0',
        '   2  late     notify flag: 0',
        '   3  sleeper  wait flag 0: sleeps',
        '   4  late     store flag 1: 1',
      ].join('\n'),
    )
  })

  test('an event loop waits for ever', async () => {
    const loop = words(async words => {
      const wait = Atomics.waitAsync(words, 0, 0)
      if (wait.async) await wait.value
      return Atomics.load(words, 0)
    })
    await explore({
      name: 'a wake-up in the event loop',
      memory,
      threads: { loop, waker },
      check: ({ results }) => expect(results.loop).toBe(1),
    })
    await expect(explore({ name: 'no notify', memory, threads: { loop } })).rejects.toThrow(
      'nothing wakes loop',
    )
  })

  test('plain accesses race', async () => {
    const writer = words(words => {
      words[1] = 5
      Atomics.store(words, 0, 1)
    })
    const careful = words(words => (Atomics.load(words, 0) === 1 ? words[1] : undefined))
    await explore({
      name: 'publication',
      memory,
      threads: { writer, careful },
      check: ({ results }) => expect([5, undefined]).toContain(results.careful),
    })
    const careless = words(words => (words[0] === 1 ? words[1] : undefined))
    await expect(
      explore({ name: 'a plain flag', memory, places, threads: { writer, careless } }),
    ).rejects.toThrow(/two accesses race, writer: store flag 1 and careless: get flag/)
    const hasty = words(words => {
      Atomics.store(words, 0, 1)
      words[1] = 5
    })
    await expect(
      explore({ name: 'publish before copy', memory, places, threads: { hasty, careful } }),
    ).rejects.toThrow(/two accesses race, careful: get data and hasty: put data 5/)
    const early = words(words => {
      Atomics.store(words, 0, 1)
      return words[1]
    })
    const next = words(words => {
      if (Atomics.load(words, 0) === 1) words[1] = 5
    })
    await expect(
      explore({ name: 'give back before copy', memory, places, threads: { early, next } }),
    ).rejects.toThrow(/two accesses race, next: put data 5 and early: get data/)
  })

  test('a thread throws, comes to no end, or its result is wrong', async () => {
    const throwing = words(words => {
      if (Atomics.load(words, 0) === 1) throw new RangeError('too far')
    })
    await expect(explore({ name: 'throws', memory, threads: { throwing, waker } })).rejects.toThrow(
      /throwing throws RangeError: too far.*\n.*waker .*store/,
    )
    const spinning = words(words => {
      while (Atomics.load(words, 0) === 0);
    })
    await expect(explore({ name: 'spins', memory, threads: { spinning } })).rejects.toThrow(
      'spinning comes to no end',
    )
    const looking = words(words => Atomics.load(words, 0))
    const check = ({ results }: { results: Readonly<Record<string, unknown>> }) =>
      expect(results.looking).toBe(0)
    await expect(explore({ name: 'wrong', memory, threads: { looking, waker }, check })).rejects.toThrow(
      'to be +0',
    )
  })

  test('a promise is rejected that nobody looks at', async () => {
    const careless = words(async words => {
      void Promise.reject(new Error('unseen'))
      return Atomics.load(words, 0)
    })
    await expect(explore({ name: 'a rejection', memory, threads: { careless } })).rejects.toThrow(
      'Error: unseen',
    )
  })
})

test('a thread that does otherwise when it sees the same is found out', async () => {
  let calls = 0
  const moody = words(words => [Atomics.load(words, calls++ % 2), Atomics.load(words, 0)])
  await expect(explore({ name: 'moody', memory, threads: { moody } })).rejects.toThrow('must do the same')
})

test('elements that a view does not have are ignored', async () => {
  const outside: Thread = memory => {
    const bytes = new Uint8Array(memory, 4, 2)
    return () => {
      for (const index of [-1, 0.5, 2]) bytes[index] = 9
      return [bytes[-1], bytes[0.5], bytes[2]]
    }
  }
  await explore({
    name: 'outside',
    memory,
    threads: { outside },
    check: ({ results, memory }) => {
      expect(results.outside).toEqual([undefined, undefined, undefined])
      expect([...memory]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    },
  })
})

test('a mortal thread may die at every step, and others hear of it in their event loops', async () => {
  const outcomes = new Set<string>()
  const caring: Thread = (memory, peer) => {
    const words = new Int32Array(memory)
    return async () => {
      const gone = new Promise(resolve => peer.addEventListener('abort', () => resolve('gone')))
      const wait = Atomics.waitAsync(words, 0, 0)
      return [await Promise.race([gone, wait.value]), Atomics.load(words, 0)]
    }
  }
  await explore({
    name: 'a death',
    memory,
    threads: { caring, waker },
    mortal: ['waker'],
    check: ({ results }) => outcomes.add(String(results.caring)),
  })
  expect([...outcomes].sort()).toEqual(['gone,0', 'gone,1', 'not-equal,1', 'ok,1'])
})

test('a timer that is left behind is an error', async () => {
  const leaving = words(async () => {
    setTimeout(() => {}, 1000)
  })
  await expect(explore({ name: 'leaving', memory, threads: { leaving } })).rejects.toThrow('has a timer left')
})

test('time passes when nothing else can happen, and as often as it may', async () => {
  const patient = words(words => Atomics.wait(words, 0, 0, 10))
  const outcomes = new Set<unknown>()
  await explore({
    name: 'a timed wait',
    memory,
    threads: { patient, waker },
    timeouts: 1,
    check: ({ results }) => outcomes.add(results.patient),
  })
  expect([...outcomes].sort()).toEqual(['not-equal', 'ok', 'timed-out'])
  await explore({
    name: 'a timed wait alone',
    memory,
    threads: { patient },
    check: ({ results }) => expect(results.patient).toBe('timed-out'),
  })
})
