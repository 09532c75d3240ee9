import { describe, expect, it } from 'vitest'
import { SharedTimer } from './shared-timer.js'

describe('a shared timer', () => {
  it('sweeps when the earliest deadline has come, and again for those that are left', async () => {
    const started = performance.now()
    const deadlines = new Set([started + 40, started + 80])
    const met: number[] = []
    const timer = new SharedTimer(now => {
      for (const deadline of deadlines)
        if (deadline <= now && deadlines.delete(deadline)) met.push(now - started)
      return Math.min(...deadlines)
    })
    timer.setFor(started + 80)
    timer.setFor(started + 40)
    timer.setFor(started + 60)
    await expect.poll(() => met.length).toBe(2)
    expect(met[0]).toBeGreaterThanOrEqual(40)
    expect(met[0]).toBeLessThan(met[1] as number)
  })

  it('can be set again when nothing was left', async () => {
    let swept = 0
    const timer = new SharedTimer(() => {
      swept += 1
      return Number.POSITIVE_INFINITY
    })
    timer.setFor(performance.now() + 1)
    await expect.poll(() => swept).toBe(1)
    timer.setFor(performance.now() + 1)
    await expect.poll(() => swept).toBe(2)
  })
})
