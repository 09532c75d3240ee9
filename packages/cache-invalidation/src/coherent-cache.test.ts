import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { Agreement } from './agreement.js'
import { createCoherentCache, FencedCache } from './coherent-cache.js'
import type { CoherentCacheOptions } from './coherent-cache-options.js'

/** A cache with a clock that stands still, and the loads that it began. */
function setUp(options: Partial<CoherentCacheOptions<unknown>> = {}) {
  const clock = { now: 1000 }
  const cache = new FencedCache<unknown>({ max: 100, ...options }, () => clock.now)
  const loads: { key: string; end: (value: unknown) => void; fail: (error: Error) => void }[] = []
  const load = (key: string) =>
    new Promise<unknown>((end, fail) => {
      loads.push({ key, end, fail })
    })
  return {
    clock,
    cache,
    loads,
    ask: (key: string, ...tags: string[]) => cache.getOrLoad(key, load, { tags }),
    /** Stores a value. */
    async fill(key: string, value: unknown, ...tags: string[]) {
      await cache.getOrLoad(key, () => value, { tags })
    },
  }
}

describe('a value', () => {
  it('is loaded once, and served from then on', async () => {
    const { cache, loads, ask } = setUp()
    const asked = ask('a')
    expect(loads).toMatchObject([{ key: 'a' }])
    loads[0]?.end('one')
    expect(await asked).toBe('one')
    expect(await ask('a')).toBe('one')
    expect(cache.peek('a')).toBe('one')
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, joined: 0, loads: 1, size: 1 })
  })

  it.each([undefined, null, 0, '', Number.NaN])('may be %s', async value => {
    const { cache, fill } = setUp()
    await fill('a', value)
    const loader = vi.fn()
    expect(await cache.getOrLoad('a', loader)).toBe(value)
    expect(loader).not.toHaveBeenCalled()
  })

  it('may come from a loader that answers at once', async () => {
    const { cache } = setUp()
    expect(await cache.getOrLoad('a', key => `${key}!`)).toBe('a!')
    expect(cache.peek('a')).toBe('a!')
  })

  it('I9: is loaded once for all who ask meanwhile', async () => {
    const { cache, loads, ask } = setUp()
    const asked = [ask('a'), ask('a'), ask('b'), ask('a')]
    expect(loads).toHaveLength(2)
    for (const { key, end } of loads) end(`${key}1`)
    expect(await Promise.all(asked)).toEqual(['a1', 'a1', 'b1', 'a1'])
    expect(cache.stats()).toMatchObject({ joined: 2, misses: 2, loads: 2, hits: 0 })
  })

  it('that could not be loaded is an error for all who wait, and is loaded anew', async () => {
    const { cache, loads, ask } = setUp()
    const asked = [ask('a', 't'), ask('a', 't')]
    loads[0]?.fail(new Error('away'))
    for (const answer of asked) await expect(answer).rejects.toThrow('away')
    expect(cache.stats()).toMatchObject({ failed: 1, size: 0, tags: 0 })
    const thrown = cache.getOrLoad('a', () => {
      throw new Error('at once')
    })
    await expect(thrown).rejects.toThrow('at once')
    expect(await cache.getOrLoad('a', () => 'there')).toBe('there')
  })

  it('whose loader asks for another key of the same cache is stored like others', async () => {
    const { cache } = setUp()
    const inner = () => cache.getOrLoad('inner', () => 1)
    expect(await cache.getOrLoad('outer', async () => [await inner()])).toEqual([1])
    expect([cache.peek('inner'), cache.peek('outer')]).toEqual([1, [1]])
  })

  it('I8: expires ttl seconds after its load began; one that still loads is not joined any more', async () => {
    const { cache, clock, loads, ask } = setUp({ ttl: 2 })
    void ask('a')
    clock.now += 1500
    loads[0]?.end('old')
    await turn()
    expect(cache.peek('a')).toBe('old')
    clock.now += 500
    expect(cache.peek('a')).toBeUndefined()
    void ask('a')
    clock.now += 2000
    void ask('a')
    expect(loads).toHaveLength(3)
    expect(cache.stats()).toMatchObject({ misses: 3, joined: 0 })
  })

  it('I9: of a load that another has overtaken is not stored over the newer', async () => {
    const { cache, clock, loads, ask } = setUp({ ttl: 1 })
    const slow = ask('a', 'once')
    clock.now += 1000
    const quick = ask('a')
    expect(cache.stats()).toMatchObject({ tags: 0 })
    loads[1]?.end('new')
    await quick
    loads[0]?.end('old')
    expect(await slow).toBe('old')
    expect(cache.peek('a')).toBe('new')
    expect(cache.stats()).toMatchObject({ fenced: 1 })
  })
})

describe('an invalidation', () => {
  const inAnyWay: [string, (cache: FencedCache<unknown>) => void][] = [
    ['its key', cache => cache.invalidate(['x', 'a'])],
    ['its first tag', cache => cache.invalidate(['t1'])],
    ['its second tag', cache => cache.invalidate(['t2', 'x'])],
    ['a flush', cache => cache.flush()],
  ]

  it.each(inAnyWay)('I6: drops what is stored: %s', async (_, invalidate) => {
    const { cache, fill } = setUp()
    await fill('a', 1, 't1', 't2')
    await fill('other', 2)
    invalidate(cache)
    expect(cache.peek('a')).toBeUndefined()
    expect(await cache.getOrLoad('a', () => 2)).toBe(2)
  })

  it.each(inAnyWay)('I6: keeps a load that began before from being stored: %s', async (_, invalidate) => {
    const { cache, loads, ask } = setUp()
    const asked = ask('a', 't1', 't2')
    invalidate(cache)
    loads[0]?.end('old')
    expect(await asked).toBe('old')
    expect(cache.peek('a')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ fenced: 1, size: 0, tags: 0 })
  })

  it.each(inAnyWay)('I7: is followed by a load of its own: %s', async (_, invalidate) => {
    const { cache, loads, ask } = setUp()
    const before = ask('a', 't1', 't2')
    invalidate(cache)
    const after = ask('a', 't1', 't2')
    expect(loads).toHaveLength(2)
    loads[1]?.end('new')
    expect(await after).toBe('new')
    expect(cache.peek('a')).toBe('new')
    loads[0]?.end('old')
    expect(await before).toBe('old')
    expect(cache.peek('a')).toBe('new')
  })

  it('I7: does not wait for a load that never ends', async () => {
    const { cache, loads, ask } = setUp()
    void ask('a')
    cache.invalidate(['a'])
    void ask('a')
    cache.invalidate(['a'])
    const asked = ask('a')
    loads[2]?.end('new')
    expect(await asked).toBe('new')
  })

  it('leaves alone what has neither the key nor the tag', async () => {
    const { cache, loads, fill, ask } = setUp()
    await fill('a', 1, 't')
    const b = ask('b', 'u')
    cache.invalidate(['x', 'u2'])
    loads[0]?.end(2)
    await b
    expect([cache.peek('a'), cache.peek('b')]).toEqual([1, 2])
    expect(cache.stats()).toMatchObject({ invalidated: 0, fenced: 0 })
  })

  it('counts the values it dropped, not the names; those of a tag when they are asked for', async () => {
    const { cache, fill } = setUp()
    for (const key of ['a', 'b', 'c', 'd']) await fill(key, 1, 't', 'u')
    cache.invalidate(['a', 't', 'u', 'b'])
    expect(cache.stats()).toMatchObject({ invalidated: 2, size: 2, tags: 0 })
    await fill('c', 2)
    expect(cache.stats()).toMatchObject({ invalidated: 3, size: 2, misses: 5 })
  })

  it('of a tag spares what was loaded under it since', async () => {
    const { cache, loads, ask, fill } = setUp()
    await fill('old', 1, 't')
    const before = ask('a', 't')
    cache.invalidate(['t'])
    await fill('new', 2, 't')
    loads[0]?.end('late')
    await before
    // The last that held the old generation have gone, and the new one is still known.
    await fill('old', 3)
    expect([cache.peek('new'), cache.peek('a')]).toEqual([2, undefined])
    cache.invalidate(['t'])
    expect([cache.peek('new'), cache.peek('old')]).toEqual([undefined, 3])
  })

  it('I6: of a tag reaches those who named it: who names another loads anew', async () => {
    const { cache, loads, fill, ask } = setUp()
    await fill('a', 1, 't')
    void ask('a', 't', 'u')
    void ask('a', 'u')
    void ask('a')
    expect(loads).toHaveLength(1)
    expect(cache.stats()).toMatchObject({ hits: 1, joined: 1, misses: 2 })
  })
})

describe('keys', () => {
  it.each(['__proto__', 'constructor', ' ', '\0\x01\xff', '\ud800', 'é🙂'.repeat(1000), 'k'.repeat(8192)])(
    'of odd shapes are keys like others',
    async key => {
      const { cache, fill } = setUp()
      await fill(key, 1, key)
      expect(cache.peek(key)).toBe(1)
      cache.invalidate([key])
      expect(cache.peek(key)).toBeUndefined()
      await fill('a', 1, key)
      cache.invalidate([key])
      expect(cache.peek('a')).toBeUndefined()
    },
  )

  it('that could never be published are refused, and tags too', async () => {
    const { cache, ask } = setUp()
    await expect(ask('k'.repeat(2 ** 20))).rejects.toThrow(
      new RangeError('key has 1048576 bytes: the longest that can be published has 8192'),
    )
    await expect(ask('é'.repeat(5000))).rejects.toThrow(/^key has 10000 bytes/)
    await expect(ask('a', 'fine', 't'.repeat(8193))).rejects.toThrow(/^tags\[1\] has 8193 bytes/)
    await expect(ask('')).rejects.toThrow(new TypeError('key must be a non-empty string, not ""'))
    await expect(ask(1 as never)).rejects.toThrow(/^key must be a non-empty string, not number/)
    await expect(ask('a', '')).rejects.toThrow(/^tags\[0\] must be a non-empty string/)
    await expect(cache.getOrLoad('a', () => 1, { tags: 'abc' as never })).rejects.toThrow(
      /tags must be an array/,
    )
    await expect(cache.getOrLoad('a', 1 as never)).rejects.toThrow('loader must be a function, not 1')
    expect(() => cache.invalidate('abc' as never)).toThrow(
      'keysOrTags must be an array of strings, not string',
    )
    expect(() => cache.invalidate([undefined] as never)).toThrow(/keysOrTags\[0\] must be a non-empty string/)
    expect(cache.stats()).toMatchObject({ misses: 0, loads: 0, tags: 0 })
  })
})

describe('room', () => {
  it('I10: is made by what was not used for longest; tags go with it', async () => {
    const { cache, fill, ask } = setUp({ max: 2 })
    await fill('a', 1, 'ta')
    await fill('b', 2, 'tb')
    await ask('a', 'ta')
    await fill('c', 3, 'tc')
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([1, undefined, 3])
    expect(cache.stats()).toMatchObject({ evictions: 1, size: 2, tags: 2 })
  })

  it('I10: is limited in bytes too; what is too large is handed over and not stored', async () => {
    const { cache, fill } = setUp({ maxBytes: 10, sizeOf: value => (value as string).length })
    await fill('a', '123456')
    await fill('b', '1234', 't')
    expect(cache.stats()).toMatchObject({ bytes: 10, size: 2 })
    await fill('c', '')
    expect(cache.stats()).toMatchObject({ bytes: 5, size: 2, evictions: 1 })
    expect(await cache.getOrLoad('b', () => 'x'.repeat(11), { tags: ['large'] })).toHaveLength(11)
    expect(cache.peek('b')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ size: 1, tags: 0 })
  })

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, '1', undefined])('is not counted as %s', async size => {
    const { cache, fill } = setUp({ maxBytes: 10, sizeOf: () => size as number })
    await expect(fill('a', 1, 't')).rejects.toThrow(`sizeOf must answer a number of bytes, not ${size}`)
    expect(cache.stats()).toMatchObject({ size: 0, tags: 0, failed: 1 })
  })

  it('I10: does not grow with the keys and tags ever seen, nor with loads that never end', async () => {
    const { cache, fill, ask } = setUp({ max: 10 })
    for (let n = 0; n < 2000; n += 1) {
      await fill(`k${n}`, n, `t${n}`, `u${n}`)
      cache.invalidate([`never${n}`])
      void ask('hung', `h${n}`)
      cache.invalidate(n % 2 ? ['hung'] : [`h${n}`])
    }
    expect(cache.stats()).toMatchObject({ size: 10, tags: 20 })
    cache.flush()
    expect(cache.stats()).toMatchObject({ size: 0, tags: 0, flushes: 1 })
  })
})

describe('out of step', () => {
  function following(options: Partial<CoherentCacheOptions<unknown>> = {}) {
    const agreement = new Agreement()
    const set = setUp(options)
    set.cache.follow(agreement)
    return { ...set, agreement }
  }

  it('I8: everything is loaded anew, by everyone, until it is in step again', async () => {
    const { cache, clock, agreement, loads, fill, ask } = following()
    agreement.confirm(clock.now)
    await fill('a', 1)
    agreement.lose()
    clock.now += 1
    void ask('a')
    void ask('a')
    expect(loads).toHaveLength(2)
    expect(cache.peek('a')).toBeUndefined()
    agreement.confirm(clock.now)
    expect(cache.peek('a')).toBe(1)
    void ask('b')
    agreement.lose()
    void ask('b')
    expect(loads).toHaveLength(4)
    expect(cache.stats()).toMatchObject({ bypassed: 3, misses: 2, hits: 0, joined: 0 })
  })

  it('I8: it counts as out of step before the first contact, and what was there before is gone', async () => {
    const { cache, fill, ask, loads } = setUp()
    await fill('a', 1)
    void ask('b')
    const agreement = new Agreement()
    cache.follow(agreement)
    loads[0]?.end('before')
    await turn()
    await fill('c', 2)
    expect(cache.peek('c')).toBeUndefined()
    agreement.confirm(0)
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([undefined, undefined, 2])
  })

  it('I8: a value is served for maxStaleMs from the last look that showed agreement, not from its end', async () => {
    const { cache, clock, agreement, fill } = following({ maxStaleMs: 100 })
    await fill('a', 1)
    clock.now = 2000
    agreement.confirm(1990)
    clock.now = 2050
    agreement.lose()
    clock.now = 2089
    expect(await cache.getOrLoad('a', () => 2)).toBe(1)
    clock.now = 2090
    expect(cache.peek('a')).toBeUndefined()
    expect(await cache.getOrLoad('a', () => 2)).toBe(2)
  })

  it('I8: a value or a load from then on is good for maxStaleMs from the beginning of its load', async () => {
    const { cache, clock, agreement, loads, ask } = following({ maxStaleMs: 100 })
    agreement.confirm(clock.now)
    agreement.lose()
    clock.now = 5000
    const first = ask('a')
    clock.now = 5099
    const second = ask('a')
    clock.now = 5100
    const third = ask('a')
    expect(loads).toHaveLength(2)
    loads[1]?.end('newer')
    await third
    loads[0]?.end('older')
    expect(await Promise.all([first, second, third])).toEqual(['older', 'older', 'newer'])
    clock.now = 5199
    expect(cache.peek('a')).toBe('newer')
    clock.now = 5200
    expect(cache.peek('a')).toBeUndefined()
  })

  it('I8: maxStaleMs Infinity serves what is there', async () => {
    const { cache, clock, agreement, fill } = following({ maxStaleMs: Number.POSITIVE_INFINITY })
    await fill('a', 1)
    agreement.lose()
    clock.now += 1e12
    expect(cache.peek('a')).toBe(1)
    cache.invalidate(['a'])
    expect(cache.peek('a')).toBeUndefined()
  })

  it('a cache obeys one subscription at a time; after its end it is out of step', async () => {
    const { cache, agreement, fill } = following()
    expect(() => cache.follow(new Agreement())).toThrow(/already follows a subscription/)
    agreement.confirm(0)
    await fill('a', 1)
    agreement.lose()
    cache.unfollow()
    expect(cache.peek('a')).toBeUndefined()
    const next = new Agreement()
    cache.follow(next)
    next.confirm(0)
    expect(cache.peek('a')).toBeUndefined()
  })
})

describe('a bad option is refused', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ max: 0 }, 'max must be an integer from 1 to 16777216, not 0'],
    [{ max: undefined }, 'max must be an integer from 1 to 16777216, not undefined'],
    [{ max: 1, ttl: 0.5 }, 'ttl must be an integer from 1 to 31536000, not 0.5'],
    [{ max: 1, maxStaleMs: -1 }, 'maxStaleMs must be a number from 0 on, not -1'],
    [{ max: 1, maxStaleMs: Number.NaN }, 'maxStaleMs must be a number from 0 on, not NaN'],
    [{ max: 1, maxBytes: 0, sizeOf: () => 1 }, `maxBytes must be an integer from 1 to ${2 ** 53 - 1}, not 0`],
    [{ max: 1, maxBytes: 1 }, 'maxBytes and sizeOf must be given together, or neither'],
    [{ max: 1, sizeOf: () => 1 }, 'maxBytes and sizeOf must be given together, or neither'],
    [{ max: 1, maxBytes: 1, sizeOf: 1 }, 'sizeOf must be a function, not 1'],
  ])('%o', (options, message) => {
    expect(() => createCoherentCache(options as never)).toThrow(message)
  })
})
