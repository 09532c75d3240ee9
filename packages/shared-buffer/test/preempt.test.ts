import { describe, expect, test } from 'vitest'
import {
  attachSharedBufferPool,
  createSharedBuffer,
  createSharedBufferPool,
  failBuffer,
  fromSharedBuffer,
  readFromBuffer,
  readFromBufferAsync,
  type SharedBufferError,
  SharedMutex,
  type SlotClaim,
  writeToBuffer,
} from '../src/index.js'
import { explorePreemptions } from './preempt.js'

/** The answer of the call, or the code of its error. */
function outcomeOf<T>(call: () => T): T | string {
  try {
    return call()
  } catch (error) {
    return (error as SharedBufferError).code
  }
}

const never = new Promise<void>(() => {})

/** A pool of one leased slot, and the other thread's view of it. */
function leasedSlot() {
  const pool = createSharedBufferPool({ slots: 1, slotSize: 100 })
  const lease = pool.acquire() ?? expect.fail('no slot')
  const attached = attachSharedBufferPool(pool.buffer)
  return { pool, lease, claim: () => attached.claim(lease.index, lease.generation) }
}

describe('wherever the one comes in between the atomic operations of the other,', () => {
  test('I11: a slot is free after a quarantine only if its claim was refused', async () => {
    await explorePreemptions(() => {
      const { pool, lease, claim } = leasedSlot()
      let claimed: SlotClaim | undefined
      return {
        call: () => lease.quarantine(never),
        others: [
          () => {
            claimed = claim()
          },
        ],
        check: () => {
          expect(pool.acquire() === undefined).toBe(claimed !== undefined)
          expect(claimed?.finish()).not.toBe(true)
        },
      }
    })
  })

  test('I11: a claim is refused, revoked, or keeps the slot of a quarantine', async () => {
    await explorePreemptions(() => {
      const { pool, lease, claim } = leasedSlot()
      let claimed: SlotClaim | undefined
      return {
        call: () => {
          claimed = claim()
        },
        others: [() => lease.quarantine(never)],
        check: () => {
          expect(pool.acquire() === undefined).toBe(claimed !== undefined)
          expect(claimed?.finish()).not.toBe(true)
        },
      }
    })
  })

  test('I11: a claim that is finished frees the slot of a quarantine, one that is revoked does not', async () => {
    for (const swap of [false, true]) {
      await explorePreemptions(() => {
        const { pool, lease, claim } = leasedSlot()
        const claimed = claim() ?? expect.fail('refused')
        let finished: boolean | undefined
        const steps = [
          () => {
            finished = claimed.finish()
          },
          () => lease.quarantine(never),
        ] as const
        return {
          call: steps[swap ? 1 : 0],
          others: [steps[swap ? 0 : 1]],
          check: () => expect(pool.acquire() !== undefined).toBe(finished),
        }
      })
    }
  })

  test('I11: release and claim: one of them is refused', async () => {
    for (const swap of [false, true]) {
      await explorePreemptions(() => {
        const { lease, claim } = leasedSlot()
        let claimed: SlotClaim | undefined
        let released: unknown
        const steps = [
          () => {
            claimed = claim()
          },
          () => {
            released = outcomeOf(() => lease.release())
          },
        ] as const
        return {
          call: steps[swap ? 1 : 0],
          others: [steps[swap ? 0 : 1]],
          check: () => expect(released).toBe(claimed === undefined ? undefined : 'SLOT_CLAIMED'),
        }
      })
    }
  })

  test('I9, I10: a claim never gets the lease that came after its own', async () => {
    await explorePreemptions(() => {
      const { pool, lease, claim } = leasedSlot()
      let claimed: SlotClaim | undefined
      let fresh = false
      return {
        call: () => {
          claimed = claim()
        },
        others: [
          () => {
            fresh = outcomeOf(() => lease.release()) === undefined && pool.acquire() !== undefined
          },
        ],
        check: () => expect(claimed === undefined).toBe(fresh),
      }
    })
  })

  test('I12: a claim of a fresh lease finds its mailbox empty', async () => {
    await explorePreemptions(() => {
      const { pool, lease } = leasedSlot()
      const attached = attachSharedBufferPool(pool.buffer)
      writeToBuffer(lease.mailbox, 'left behind')
      lease.release()
      let claimed: SlotClaim | undefined
      const claimNext = () => {
        claimed ??= attached.claim(lease.index, lease.generation + 1)
      }
      return {
        call: () => pool.acquire(),
        others: [claimNext],
        check: () => {
          claimNext()
          expect(outcomeOf(() => readFromBuffer(claimed?.mailbox ?? expect.fail('refused'), 0))).toBe(
            'TIMEOUT',
          )
        },
      }
    })
  })

  test('I14: of two that want the lock one gets it', async () => {
    const wants = [
      (mutex: SharedMutex) => mutex.tryLock(),
      (mutex: SharedMutex) => outcomeOf(() => mutex.lock(0)) === undefined,
    ]
    for (const first of wants) {
      for (const second of wants) {
        await explorePreemptions(() => {
          const mutex = new SharedMutex()
          const got: boolean[] = []
          return {
            call: () => got.push(first(mutex)),
            others: [() => got.push(second(new SharedMutex(mutex.buffer)))],
            check: () => expect(got.sort()).toEqual([false, true]),
          }
        })
      }
    }
  })

  test('I14: who wants the lock while it is given up has it or finds it free', async () => {
    for (const swap of [false, true]) {
      await explorePreemptions(() => {
        const mutex = new SharedMutex()
        const other = new SharedMutex(mutex.buffer)
        mutex.lock()
        let got = false
        const steps = [
          () => mutex.unlock(),
          () => {
            got = outcomeOf(() => other.lock(0)) === undefined
          },
        ] as const
        return {
          call: steps[swap ? 1 : 0],
          others: [steps[swap ? 0 : 1]],
          check: () => expect(new SharedMutex(mutex.buffer).tryLock()).toBe(!got),
        }
      })
    }
  })

  /** Another thread on the same lock: takes it if it is free, gives it up if it has it. */
  const otherThread = (mutex: SharedMutex) => {
    const own = new SharedMutex(mutex.buffer)
    let held = false
    return {
      take: () => {
        held = own.tryLock()
      },
      give: () => {
        if (held) own.unlock()
        held = false
      },
    }
  }

  test('I15: nobody falls asleep on a lock whose unlock would not wake it', async () => {
    const { wait } = Atomics
    const asleep = new Error('asleep')
    const sleptOn: number[] = []
    Atomics.wait = ((words: Int32Array, index: number, value: number) => {
      if (Atomics.load(words, index) !== value) return 'not-equal'
      sleptOn.push(value)
      throw asleep
    }) as typeof wait
    try {
      await explorePreemptions(() => {
        const mutex = new SharedMutex()
        const other = otherThread(mutex)
        other.take()
        let outcome: unknown
        return {
          call: () => {
            outcome = outcomeOf(() => mutex.lock(1000))
          },
          others: [other.give, other.take],
          check: () => expect([undefined, 'BLOCKING_FORBIDDEN']).toContain(outcome),
        }
      })
    } finally {
      Atomics.wait = wait
    }
    expect(new Set(sleptOn)).toEqual(new Set([2]))
  })

  test('I6: whoever waits for the lock without blocking gets it once it is free', async () => {
    await explorePreemptions(() => {
      const mutex = new SharedMutex()
      const other = otherThread(mutex)
      other.take()
      let locked: Promise<void> | undefined
      return {
        call: () => {
          locked = mutex.lockAsync({ timeoutMs: 1000 })
        },
        others: [other.give, other.take, other.give, other.take],
        check: async () => {
          const begun = performance.now()
          other.give()
          await locked
          // At its deadline a wait looks once more: a lost wake-up shows in the time alone.
          expect(performance.now() - begun).toBeLessThan(900)
        },
      }
    })
  })

  test('I6: whoever waits for a message without blocking gets it', async () => {
    await explorePreemptions(() => {
      const shared = createSharedBuffer(100)
      const other = fromSharedBuffer(shared.buffer)
      let read: Promise<unknown> | undefined
      return {
        call: () => {
          read = readFromBufferAsync(shared, { timeoutMs: 1000 })
        },
        others: [() => writeToBuffer(other, 'message')],
        check: async () => {
          const begun = performance.now()
          expect(await read).toBe('message')
          expect(performance.now() - begun).toBeLessThan(900)
        },
      }
    })
  })

  test('I3: a reader gets the message or the failure that replaces it', async () => {
    for (const swap of [false, true]) {
      await explorePreemptions(() => {
        const shared = createSharedBuffer(1000)
        const reader = fromSharedBuffer(shared.buffer)
        writeToBuffer(shared, 'message')
        const reads: unknown[] = []
        const read = () => reads.push(outcomeOf(() => readFromBuffer(reader, 0)))
        const fail = () => failBuffer(shared, new Error('withdrawn'))
        return {
          call: swap ? fail : read,
          others: [swap ? read : fail],
          check: () => {
            // While the one replaces the other there is nothing to read.
            expect(['message', 'TIMEOUT', 'PEER_FAILED']).toContain(reads[0])
            expect(() => readFromBuffer(reader, 0)).toThrow('withdrawn')
          },
        }
      })
    }
  })

  test('I1, I2: a reader gets a whole message once, a writer never loses one', async () => {
    for (const swap of [false, true]) {
      await explorePreemptions(() => {
        const shared = createSharedBuffer(1000)
        const reader = fromSharedBuffer(shared.buffer)
        writeToBuffer(shared, 'a')
        const got: unknown[] = []
        let written: unknown
        const read = () => got.push(outcomeOf(() => readFromBuffer(reader, 0)))
        const write = () => {
          written = outcomeOf(() => writeToBuffer(shared, 'longer'))
        }
        return {
          call: swap ? write : read,
          others: [swap ? read : write],
          check: () => {
            read()
            expect(got).toEqual(['a', written === undefined ? 'longer' : 'TIMEOUT'])
            expect([undefined, 'UNREAD_MESSAGE']).toContain(written)
          },
        }
      })
    }
  })
})
