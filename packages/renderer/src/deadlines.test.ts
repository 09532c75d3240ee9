import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { Deadlines } from './deadlines.js'

it('I4: tells of each whose time is up, once, and never too early', async () => {
  const timeout = 40
  const taken: Record<string, number> = {}
  const since: Record<string, number> = {}
  const deadlines = new Deadlines<string>(timeout, item => {
    taken[item] = performance.now() - (since[item] as number)
    expect(deadlines.delete(item), 'it is no longer among them').toBeUndefined()
    return 0
  })
  const begin = (item: string) => {
    since[item] = performance.now()
    deadlines.add(item)
  }
  begin('a')
  begin('gone')
  await delay(25)
  begin('b')
  expect(deadlines.delete('gone')).toBeTypeOf('number')
  await vi.waitFor(() => expect(Object.keys(taken)).toEqual(['a', 'b']))
  begin('c')
  await vi.waitFor(() => expect(Object.keys(taken)).toEqual(['a', 'b', 'c']))
  for (const ms of Object.values(taken)) expect(ms).toBeGreaterThanOrEqual(timeout)
  expect(deadlines.size).toBe(0)
})

it('I4: goes on when telling of one adds or removes others', async () => {
  const told: string[] = []
  const deadlines = new Deadlines<string>(10, item => {
    told.push(item)
    deadlines.delete('b')
    if (item === 'a') deadlines.add('c')
    return 0
  })
  deadlines.add('a')
  deadlines.add('b')
  await vi.waitFor(() => expect(told).toEqual(['a', 'c']))
  expect(deadlines.size).toBe(0)
})

it('I5: keeps their order, and takes one before all others', () => {
  const deadlines = new Deadlines<string>(60_000, () => 0)
  deadlines.add('a')
  deadlines.add('b')
  deadlines.addFirst('c')
  expect([...deadlines.items()]).toEqual(['c', 'a', 'b'])
})

it('I4: gives more time to one that has more', async () => {
  const looks: number[] = []
  const start = performance.now()
  const deadlines = new Deadlines<string>(60, () => {
    looks.push(performance.now() - start)
    return looks.length === 1 ? 20 : 0
  })
  deadlines.add('a')
  await vi.waitFor(() => expect(looks).toHaveLength(2))
  expect(looks[1]).toBeGreaterThanOrEqual((looks[0] as number) + 19)
  expect((looks[1] as number) - (looks[0] as number), 'not as much as at first').toBeLessThan(60)
  expect(deadlines.size).toBe(0)
})
