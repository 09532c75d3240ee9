import { describe, expect, test } from 'vitest'
import { attachSharedBufferPool } from './attached-pool.js'
import { readFromBuffer, readFromBufferAsync, writeToBuffer } from './message.js'
import { createSharedBufferPool, PoolOwner, type SharedBufferPool, type SlotLease } from './pool.js'
import { controlWord, createPoolMemory, MAX_GENERATION, SlotState } from './pool-layout.js'

const code = (code: string) => expect.objectContaining({ name: 'SharedBufferError', code })

function acquire(pool: SharedBufferPool): SlotLease {
  const lease = pool.acquire()
  if (lease === undefined) throw new Error('no slot is free')
  return lease
}

function claim(pool: SharedBufferPool, lease: SlotLease) {
  const claim = attachSharedBufferPool(pool.buffer).claim(lease.index, lease.generation)
  if (claim === undefined) throw new Error('the claim was refused')
  return claim
}

/** A promise, and how to settle it. */
function deferred() {
  let resolve!: () => void
  let reject!: (reason: Error) => void
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

describe('leases', () => {
  test('every slot is leased once, then there is none until one is released', () => {
    const pool = createSharedBufferPool({ slots: 3, slotSize: 100 })
    const leases = [acquire(pool), acquire(pool), acquire(pool)]
    expect(new Set(leases.map(lease => lease.index))).toEqual(new Set([0, 1, 2]))
    expect(pool.acquire()).toBeUndefined()
    leases[1]?.release()
    expect(acquire(pool).index).toBe(leases[1]?.index)
    expect(pool.acquire()).toBeUndefined()
  })

  test('payloads begin on 64-byte lines, have the size asked for, and no two slots share a line', () => {
    for (const slotSize of [1, 63, 64, 65, 1000]) {
      const pool = createSharedBufferPool({ slots: 4, slotSize })
      const leases = Array.from({ length: 4 }, () => acquire(pool))
      const lines = leases.flatMap(({ mailbox: { status, dataLength, data } }) => {
        expect(data.byteOffset % 64).toBe(0)
        expect(data.byteLength).toBe(slotSize)
        expect(status.byteOffset).toBe(data.byteOffset - 8)
        expect(dataLength.byteOffset).toBe(data.byteOffset - 4)
        const first = data.byteOffset / 64 - 1
        const last = Math.floor((data.byteOffset + slotSize - 1) / 64)
        return Array.from({ length: last - first + 1 }, (_, index) => first + index)
      })
      expect(new Set(lines).size).toBe(lines.length)
      expect(Math.min(...lines)).toBe(1)
      expect((Math.max(...lines) + 1) * 64).toBe(pool.buffer.byteLength)
    }
  })

  test('messages go through a slot’s mailbox, and stay within it', () => {
    const pool = createSharedBufferPool({ slots: 2, slotSize: 10 })
    const [a, b] = [acquire(pool), acquire(pool)]
    writeToBuffer(a.mailbox, 'aaaaaaaa')
    writeToBuffer(b.mailbox, 'bbbbbbbb')
    expect(() => writeToBuffer(a.mailbox, 'too long!')).toThrow(RangeError)
    expect(readFromBuffer(a.mailbox, 0)).toBe('aaaaaaaa')
    expect(readFromBuffer(b.mailbox, 0)).toBe('bbbbbbbb')
  })

  test('I12: a fresh lease finds its mailbox idle and empty', () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 100 })
    const first = acquire(pool)
    writeToBuffer(first.mailbox, 'left behind')
    first.release()
    const { status, dataLength } = acquire(pool).mailbox
    expect([status[0], dataLength[0]]).toEqual([0, 0])
  })

  test('I9: each lease of a slot has a generation of its own, also where generations wrap', () => {
    const memory = createPoolMemory(1, 1)
    memory.words[memory.controlAt(0)] = controlWord(MAX_GENERATION - 3, SlotState.FREE)
    const pool = new PoolOwner(memory)
    const attached = attachSharedBufferPool(pool.buffer)
    const generations = Array.from({ length: 6 }, () => {
      const lease = acquire(pool)
      expect(attached.claim(lease.index, lease.generation)?.finish()).toBe(true)
      lease.release()
      expect(attached.claim(lease.index, lease.generation)).toBeUndefined()
      return lease.generation
    })
    expect(generations).toEqual([-2, -1, 0, 1, 2, 3].map(step => (MAX_GENERATION + step) % 2 ** 30))
  })

  test('I9: a second release is an error and does not free the lease that came after', () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const old = acquire(pool)
    old.release()
    expect(() => old.release()).toThrow(code('LEASE_ENDED'))
    const fresh = acquire(pool)
    expect(() => old.release()).toThrow(code('LEASE_ENDED'))
    expect(() => old.quarantine(Promise.resolve())).toThrow(code('LEASE_ENDED'))
    expect(pool.acquire()).toBeUndefined()
    fresh.release()
  })

  test('I9: an ended lease no longer hands out the slot’s memory', () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    lease.release()
    expect(() => lease.mailbox).toThrow(code('LEASE_ENDED'))
    const revoked = acquire(pool)
    revoked.quarantine(Promise.resolve())
    expect(() => revoked.mailbox).toThrow(code('LEASE_ENDED'))
  })

  test.each<[string, (lease: SlotLease) => void]>([
    ['release', lease => lease.release()],
    ['quarantine', lease => lease.quarantine(Promise.resolve())],
  ])('I9: a read that still waits at %s does not get the next lease’s message', async (_name, end) => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 100 })
    const old = acquire(pool)
    const stale = expect(readFromBufferAsync(old.mailbox)).rejects.toThrow(code('LEASE_ENDED'))
    end(old)
    const fresh = acquire(pool)
    const read = readFromBufferAsync(fresh.mailbox)
    writeToBuffer(fresh.mailbox, 'for the new one')
    expect(await read).toBe('for the new one')
    await stale
  })

  test('a slot whose control word was overwritten stays out of use, and the others go on', () => {
    const pool = createSharedBufferPool({ slots: 3, slotSize: 1 })
    const words = new Int32Array(pool.buffer)
    const controlOf = (lease: SlotLease) => lease.mailbox.data.byteOffset / 4 - 16
    const leased = acquire(pool)
    words[controlOf(leased)] = 12345
    expect(() => leased.release()).toThrow(code('CORRUPT_SLOT'))
    expect(() => leased.release()).toThrow(code('LEASE_ENDED'))
    const freed = acquire(pool)
    const control = controlOf(freed)
    freed.release()
    words[control] = -1
    expect(() => pool.acquire()).toThrow(code('CORRUPT_SLOT'))
    expect(new Set([leased.index, freed.index, acquire(pool).index]).size).toBe(3)
    expect(pool.acquire()).toBeUndefined()
    expect(pool.stats()).toMatchObject({ inUse: 1, quarantined: 2 })
  })

  test('statistics count slots, bytes, leases, the high water and the waits', async () => {
    const pool = createSharedBufferPool({ slots: 2, slotSize: 100 })
    expect(pool.stats()).toEqual({
      slots: 2,
      slotSize: 100,
      bytes: pool.buffer.byteLength,
      inUse: 0,
      highWater: 0,
      quarantined: 0,
      waits: 0,
    })
    const [a, b] = [acquire(pool), acquire(pool)]
    await pool.acquireAsync({ timeoutMs: 1 })
    a.release()
    b.release()
    await pool.acquireAsync()
    expect(pool.stats()).toMatchObject({ inUse: 1, highWater: 2, waits: 1 })
    expect([pool.slots, pool.slotSize]).toEqual([2, 100])
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '8', undefined])(
    'a size of %s, or as many slots, is refused',
    size => {
      const bad = size as number
      expect(() => createSharedBufferPool({ slots: 1, slotSize: bad })).toThrow(/slotSize must be an integer/)
      expect(() => createSharedBufferPool({ slots: bad, slotSize: 1 })).toThrow(/slots must be an integer/)
      expect(() => createSharedBufferPool({ slots: bad, slotSize: 1 })).toThrow(RangeError)
    },
  )

  test('more memory than there is, is a RangeError', () => {
    const huge = { slots: 2 ** 20, slotSize: 2 ** 31 - 1 }
    expect(() => createSharedBufferPool(huge)).toThrow(/^Cannot allocate \d+ bytes/)
    expect(() => createSharedBufferPool(huge)).toThrow(RangeError)
  })
})

describe('waiting for a slot', () => {
  test('I13: who asked first is served first, and nobody overtakes', async () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    let lease = acquire(pool)
    const order: number[] = []
    const waiting = Array.from({ length: 20 }, async (_, index) => {
      const own = await pool.acquireAsync()
      order.push(index)
      expect(pool.acquire()).toBeUndefined()
      own?.release()
    })
    lease.release()
    expect(pool.acquire()).toBeUndefined()
    await Promise.all(waiting)
    expect(order).toEqual(waiting.map((_, index) => index))
    lease = acquire(pool)
    expect(pool.stats()).toMatchObject({ inUse: 1, highWater: 1, waits: 20 })
  })

  test('is over at once when a slot is free, or with a timeout of 0', async () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    expect((await pool.acquireAsync())?.index).toBe(0)
    expect(await pool.acquireAsync({ timeoutMs: 0 })).toBeUndefined()
    expect(pool.stats().waits).toBe(0)
  })

  test('gives up after its time, and the slot goes to the next', async () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    const patient = pool.acquireAsync()
    expect(await pool.acquireAsync({ timeoutMs: 5 })).toBeUndefined()
    lease.release()
    expect((await patient)?.index).toBe(0)
  })

  test('rejects with the signal’s reason on abort, whoever stands where, and the slot is not lost', async () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    const controllers = Array.from({ length: 5 }, () => new AbortController())
    const waits = controllers.map(({ signal }) => pool.acquireAsync({ signal }))
    for (const at of [0, 4, 2]) {
      controllers[at]?.abort(new Error(`abort ${at}`))
      await expect(waits[at]).rejects.toThrow(`abort ${at}`)
    }
    lease.release()
    ;(await waits[1])?.release()
    ;(await waits[3])?.release()
    expect(pool.stats().inUse).toBe(0)
    await expect(pool.acquireAsync({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
      'before',
    )
    expect(pool.stats().inUse).toBe(0)
    await expect(pool.acquireAsync({ timeoutMs: -1 })).rejects.toThrow(RangeError)
  })

  test('ends when a quarantine does', async () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    claim(pool, lease)
    const exit = deferred()
    lease.quarantine(exit.promise)
    const wait = pool.acquireAsync()
    exit.resolve()
    expect((await wait)?.index).toBe(lease.index)
  })
})

describe('claims', () => {
  test('I10: only the live lease’s generation opens a slot, and for one claim at a time', () => {
    const pool = createSharedBufferPool({ slots: 2, slotSize: 1 })
    const attached = attachSharedBufferPool(pool.buffer)
    const lease = acquire(pool)
    expect(attached.claim(lease.index, lease.generation + 1)).toBeUndefined()
    expect(attached.claim(lease.index, lease.generation - 1)).toBeUndefined()
    expect(attached.claim(1 - lease.index, lease.generation)).toBeUndefined()
    const claimed = attached.claim(lease.index, lease.generation)
    expect(claimed?.mailbox.data.byteOffset).toBe(lease.mailbox.data.byteOffset)
    expect(attached.claim(lease.index, lease.generation)).toBeUndefined()
    expect(claimed?.finish()).toBe(true)
    expect(attached.claim(lease.index, lease.generation)?.finish()).toBe(true)
    lease.release()
    expect(attached.claim(lease.index, lease.generation)).toBeUndefined()
  })

  test('I10: a finished claim is over: no memory, no second finish, no hold on the claim that came after', () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    const old = claim(pool, lease)
    old.finish()
    expect(() => old.mailbox).toThrow(code('CLAIM_ENDED'))
    expect(() => old.finish()).toThrow(code('CLAIM_ENDED'))
    const fresh = claim(pool, lease)
    expect(() => old.mailbox).toThrow(code('CLAIM_ENDED'))
    expect(() => old.finish()).toThrow(code('CLAIM_ENDED'))
    expect(fresh.finish()).toBe(true)
  })

  test('I10: a read of the claim that still waits when it is finished ends there, the owner’s goes on', async () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 100 })
    const lease = acquire(pool)
    const claimed = claim(pool, lease)
    const stale = expect(readFromBufferAsync(claimed.mailbox)).rejects.toThrow(code('CLAIM_ENDED'))
    const answer = readFromBufferAsync(lease.mailbox)
    claimed.finish()
    await stale
    writeToBuffer(lease.mailbox, 'still here')
    expect(await answer).toBe('still here')
  })

  test('I11: a slot in use by a worker is not released', () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    const claimed = claim(pool, lease)
    expect(() => lease.release()).toThrow(code('SLOT_CLAIMED'))
    expect(() => lease.release()).toThrow(/quarantine/)
    expect(pool.acquire()).toBeUndefined()
    expect(lease.mailbox.data.byteLength).toBe(1)
    claimed.finish()
    lease.release()
    expect(pool.stats().inUse).toBe(0)
  })

  test.each([-1, 2, 0.5, Number.NaN, '0', undefined])('there is no slot %s', index => {
    const attached = attachSharedBufferPool(createSharedBufferPool({ slots: 2, slotSize: 1 }).buffer)
    expect(() => attached.claim(index as number, 1)).toThrow(/index must be an integer from 0 to 1/)
    expect(() => attached.claim(index as number, 1)).toThrow(RangeError)
  })

  test.each([-1, 2 ** 30, 0.5, Number.NaN, '0', undefined])('there is no generation %s', generation => {
    const attached = attachSharedBufferPool(createSharedBufferPool({ slots: 2, slotSize: 1 }).buffer)
    expect(() => attached.claim(0, generation as number)).toThrow(RangeError)
  })
})

describe('quarantine', () => {
  test('I11: a claimed slot is out of use until the worker is gone, and its claim is worth nothing', async () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    const claimed = claim(pool, lease)
    const exit = deferred()
    lease.quarantine(exit.promise)
    expect(pool.stats()).toMatchObject({ inUse: 0, quarantined: 1 })
    expect(pool.acquire()).toBeUndefined()
    expect(() => claimed.mailbox).toThrow(code('CLAIM_ENDED'))
    expect(claimed.finish()).toBe(false)
    expect(pool.acquire()).toBeUndefined()
    exit.resolve()
    await exit.promise
    expect(pool.stats()).toMatchObject({ inUse: 0, quarantined: 0 })
    const fresh = acquire(pool)
    expect(fresh.generation).not.toBe(lease.generation)
  })

  test('a promise that rejects ends it as well', async () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    claim(pool, lease)
    const exit = deferred()
    lease.quarantine(exit.promise)
    exit.reject(new Error('the worker crashed'))
    expect((await pool.acquireAsync({ timeoutMs: 5000 }))?.index).toBe(0)
  })

  test('I11: a slot that nobody had claimed is free at once, and nobody can claim it any more', () => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    lease.quarantine(deferred().promise)
    expect(pool.stats()).toMatchObject({ inUse: 0, quarantined: 0 })
    const attached = attachSharedBufferPool(pool.buffer)
    expect(attached.claim(lease.index, lease.generation)).toBeUndefined()
    const fresh = acquire(pool)
    expect(attached.claim(lease.index, lease.generation)).toBeUndefined()
    expect(attached.claim(fresh.index, fresh.generation)?.finish()).toBe(true)
  })

  test.each([undefined, null, 5, {}, () => 1])('until %s is a TypeError, and the lease goes on', until => {
    const pool = createSharedBufferPool({ slots: 1, slotSize: 1 })
    const lease = acquire(pool)
    expect(() => lease.quarantine(until as unknown as Promise<void>)).toThrow(/until must be a promise/)
    lease.release()
  })
})

describe('attaching', () => {
  test('finds the sizes', () => {
    const attached = attachSharedBufferPool(createSharedBufferPool({ slots: 3, slotSize: 100 }).buffer)
    expect([attached.slots, attached.slotSize]).toEqual([3, 100])
  })

  test.each<[string, number, number]>([
    ['mark', 0, 1],
    ['version', 1, 2],
    ['number of slots', 2, 0],
    ['number of slots', 2, 4],
    ['number of slots', 2, -1],
    ['slot size', 3, 0],
    ['slot size', 3, 1000],
    ['slot size', 3, -100],
  ])('a wrong %s is a RangeError', (_name, word, value) => {
    const { buffer } = createSharedBufferPool({ slots: 3, slotSize: 100 })
    new Int32Array(buffer)[word] = value
    expect(() => attachSharedBufferPool(buffer)).toThrow(RangeError)
  })

  test('a buffer that is none, too small, too large, or growable is refused', () => {
    const { buffer } = createSharedBufferPool({ slots: 3, slotSize: 100 })
    const copyOf = (bytes: number, options?: { maxByteLength: number }) => {
      const copy = new SharedArrayBuffer(bytes, options)
      new Uint8Array(copy).set(new Uint8Array(buffer).subarray(0, bytes))
      return copy
    }
    expect(attachSharedBufferPool(copyOf(buffer.byteLength)).slots).toBe(3)
    for (const bytes of [0, 63, 64, buffer.byteLength - 64, buffer.byteLength + 64]) {
      expect(() => attachSharedBufferPool(copyOf(bytes)), `${bytes} bytes`).toThrow(RangeError)
    }
    expect(() => attachSharedBufferPool(copyOf(640, { maxByteLength: 1280 }))).toThrow(TypeError)
    expect(() => attachSharedBufferPool(new ArrayBuffer(640) as unknown as SharedArrayBuffer)).toThrow(
      TypeError,
    )
  })
})
