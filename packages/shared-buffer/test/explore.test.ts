import { explore, type Scenario, type Thread } from '@scratchyjs/tooling/explore'
import { describe, expect, test } from 'vitest'
import {
  attachSharedBufferPool,
  failBuffer,
  fromSharedBuffer,
  readFromBuffer,
  readFromBufferAsync,
  resetBuffer,
  type SharedBufferError,
  writeToBuffer,
  writeToBufferAsync,
} from '../src/index.js'
import {
  forever,
  inFull,
  LONG,
  locker,
  lockMemory,
  lockPlaces,
  mailbox,
  mailboxPlaces,
  outcome,
  owner,
  poolMemory,
  poolPlaces,
  still,
  thread,
  twoMailboxes,
} from './explored.js'

const box = thread(fromSharedBuffer)
const claimer = thread(attachSharedBufferPool)
const places = mailboxPlaces
const forEver = Number.POSITIVE_INFINITY

describe('however two threads meet at a mailbox,', () => {
  test('I1, I2, I6: messages go there and back, and nobody sleeps through one', async () => {
    await explore({
      name: 'two messages and their answers',
      memory: () => new SharedArrayBuffer(32),
      places: { 0: 'there', 16: 'back' },
      spurious: 1,
      threads: {
        asking: twoMailboxes((there, back) =>
          [1, 2].map(message => {
            writeToBuffer(there, message)
            return readFromBuffer(back, forEver, still)
          }),
        ),
        answering: twoMailboxes((there, back) => {
          for (let count = 0; count < 2; count++) {
            const message = readFromBuffer<number>(there, forEver, still)
            writeToBuffer(back, message + 5)
          }
        }),
      },
      check: ({ results }) => expect(results.asking).toEqual([6, 7]),
    })
  })

  test.each([
    [
      'that blocks',
      (shared: Parameters<typeof readFromBuffer>[0]) =>
        [1, 2].map(() => readFromBuffer(shared, forEver, still)),
    ],
    [
      'in its event loop',
      async (shared: Parameters<typeof readFromBuffer>[0]) => {
        const calls = [1, 2].map(() => readFromBufferAsync(shared, forever))
        return Promise.all(calls)
      },
    ],
  ])('I1, I2, I6, I7: what waits for its turn comes in order to a reader %s', async (title, read) => {
    await explore({
      name: `two messages to a reader ${title}`,
      memory: mailbox(),
      places,
      spurious: 1,
      threads: {
        writer: box(async shared => {
          await Promise.all([1, 2].map(message => writeToBufferAsync(shared, message, forever)))
        }),
        reader: box(read),
      },
      check: ({ results }) => expect(results.reader).toEqual([1, 2]),
    })
  })

  test('I3, I5: a message is taken before a failure or withdrawn, and the failure comes whole', async () => {
    await explore({
      name: 'a failure over an unread message',
      memory: mailbox(shared => writeToBuffer(shared, 'whole')),
      places,
      // A reader that is copying the message finds out that it was withdrawn, and throws the copy away.
      racy: [4, 88],
      threads: {
        writer: box(shared => failBuffer(shared, { name: 'RangeError', message: 'too far', code: 'E_FAR' })),
        reader: box(shared => {
          const got: unknown[] = []
          for (;;) {
            try {
              got.push(readFromBuffer(shared, forEver, still))
            } catch (thrown) {
              const { code, cause } = thrown as SharedBufferError & { cause: Error & { code: string } }
              return [...got, code, cause.name, cause.message, cause.code]
            }
          }
        }),
      },
      check: ({ results }) => {
        const failure = ['PEER_FAILED', 'RangeError', 'too far', 'E_FAR']
        expect([failure, ['whole', ...failure]]).toContainEqual(results.reader)
      },
    })
  })

  test('I5, I6: a reset lets a writer go on that waits', async () => {
    await explore({
      name: 'a reset of an unread message',
      memory: mailbox(shared => writeToBuffer(shared, 1)),
      places,
      threads: {
        writer: box(async shared => writeToBufferAsync(shared, 2, forever)),
        other: box(shared => {
          resetBuffer(shared)
          return readFromBuffer(shared, forEver, still)
        }),
      },
      check: ({ results }) => expect(results.other).toBe(2),
    })
  })

  test('I6: the reader is woken also when others wait for the status', async () => {
    await explore({
      name: 'a foreign wait beside a read',
      memory: mailbox(),
      places,
      spurious: 1,
      threads: {
        writer: box(shared => writeToBuffer(shared, 1)),
        reader: box(shared => readFromBuffer(shared, forEver, still)),
        other: box(({ status }) => {
          while (Atomics.load(status, 0) === 0) Atomics.wait(status, 0, 0)
        }),
      },
      check: ({ results }) => expect(results.reader).toBe(1),
    })
  })

  test('I6: a read that time ends takes nothing', async () => {
    await explore({
      name: 'time-out of a read',
      memory: mailbox(),
      places,
      timeouts: 1,
      threads: {
        writer: box(shared => writeToBuffer(shared, 1)),
        reader: box(shared => {
          const got = outcome(() => readFromBuffer(shared, 5, still))
          return got === 'TIMEOUT' ? readFromBuffer(shared, forEver, still) : got
        }),
      },
      check: ({ results }) => expect(results.reader).toBe(1),
    })
  })
})

describe('I14, I15: however threads meet at a lock,', () => {
  const blocking = locker((lock, increment) => {
    lock.lock()
    increment()
    lock.unlock()
  })
  const twice = locker((lock, increment) => {
    for (let count = 0; count < 2; count++) {
      lock.lock()
      increment()
      lock.unlock()
    }
  })
  const loop = locker((lock, increment) => lock.run(increment))
  const busyLoop = locker((lock, increment) => Promise.all([lock.run(increment), lock.run(increment)]))
  const impatient = locker((lock, increment) => {
    try {
      lock.lock(5)
    } catch {
      return 0
    }
    increment()
    lock.unlock()
    return 1
  })
  test.each<[string, Record<string, Thread>, Partial<Scenario> & { counts: number[] }]>([
    ['two that block', { one: twice, two: twice }, { counts: [4], spurious: 1 }],
    ['three that block', { one: blocking, two: blocking, three: blocking }, { counts: [3] }],
    ['one in its event loop', { one: blocking, two: busyLoop }, { counts: [3], spurious: 1 }],
    ['two in their event loops', { one: loop, two: busyLoop }, { counts: [3] }],
    ['one with little time', { one: twice, two: impatient }, { counts: [2, 3], timeouts: 1 }],
    ...inFull<[string, Record<string, Thread>, Partial<Scenario> & { counts: number[] }]>(
      ['three, twice each', { one: twice, two: twice, three: twice }, { counts: [6], preemptions: 3 }],
      ['three ways to wait', { one: twice, two: busyLoop, three: loop }, { counts: [5], preemptions: 3 }],
    ),
  ])(
    'nobody is let in beside another, and nobody is forgotten: %s',
    async (title, threads, { counts, ...limits }) => {
      await explore({
        name: `a lock: ${title}`,
        memory: lockMemory,
        places: lockPlaces,
        threads,
        limit: 8_000_000,
        ...limits,
        check: ({ results, memory }) => {
          const [count] = new Int32Array(memory.buffer, 4, 1)
          expect(counts).toContain(count)
          if (typeof results.two === 'number') expect(count).toBe(2 + results.two)
        },
      })
    },
    LONG,
  )
})

describe('however the owner of a pool meets who claims a slot,', () => {
  // That the two never touch the slot at the same time shows in that their plain accesses don't race.
  const use = claimer(pool => {
    const claim = pool.claim(0, 1)
    if (claim === undefined) return 'refused'
    const written = outcome(() => {
      claim.mailbox.data.fill(7, 0, 2)
      return 'written'
    })
    return [written, claim.finish()]
  })

  test('I9, I10, I11, I12: a slot is released only while nobody claims it', async () => {
    await explore({
      name: 'claim and finish meet release',
      memory: poolMemory,
      places: poolPlaces,
      threads: {
        owner: owner(pool => {
          const lease = pool.acquire()
          const released = outcome(() => lease?.release())
          const next = pool.acquire()
          next?.mailbox.data.fill(9, 0, 2)
          return [released, next?.generation]
        }),
        claimer: use,
      },
      check: ({ results }) => {
        const { owner, claimer } = results as { owner: unknown[]; claimer: unknown }
        expect([
          [undefined, 2],
          ['SLOT_CLAIMED', undefined],
        ]).toContainEqual(owner)
        if (claimer !== 'refused') expect(claimer).toEqual(['written', true])
      },
    })
  })

  test('I10, I11: a quarantined slot is free again only if nobody had claimed it, or when that thread is gone', async () => {
    await explore({
      name: 'claim and finish meet quarantine',
      memory: poolMemory,
      places: poolPlaces,
      threads: {
        owner: owner(async pool => {
          const lease = pool.acquire()
          let gone = (): void => {}
          lease?.quarantine(
            new Promise<void>(resolve => {
              gone = resolve
            }),
          )
          const next = pool.acquire()
          next?.mailbox.data.fill(9, 0, 2)
          const waiting = next ?? pool.acquireAsync()
          gone()
          return [next?.generation, (await waiting)?.generation]
        }),
        claimer: use,
      },
      check: ({ results }) => {
        const { owner, claimer } = results as { owner: unknown[]; claimer: unknown }
        expect([
          [2, 2],
          [undefined, 2],
        ]).toContainEqual(owner)
        if (owner[0] === 2) expect(['refused', ['written', true]]).toContainEqual(claimer)
      },
    })
  })
})
