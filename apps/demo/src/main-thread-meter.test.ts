import { setTimeout as later, setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MainThreadMeter } from './main-thread-meter.js'

const work = (ms: number) => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe('the meter of the main thread', () => {
  it('counts the work, not the waiting, and shares it among the pages', async () => {
    const meter = new MainThreadMeter()
    await nextTurn()
    const started = performance.now()
    const pagesUnderWay = [meter.begin('inWorkers'), meter.begin('inWorkers')]
    work(60)
    await later(300)
    for (const page of pagesUnderWay) page.end()
    const { pages, mainThreadMs, msPerPage } = meter.cost('inWorkers')
    expect(pages).toBe(2)
    expect(mainThreadMs).toBeGreaterThanOrEqual(59)
    expect(performance.now() - started - mainThreadMs).toBeGreaterThan(250)
    expect(msPerPage).toBe(mainThreadMs / 2)
  })

  it('counts nothing while no page is under way, and a page once', async () => {
    const meter = new MainThreadMeter()
    expect(meter.cost('inWorkers')).toEqual({ pages: 0, mainThreadMs: 0, msPerPage: null })
    await nextTurn()
    work(50)
    const page = meter.begin('inWorkers')
    page.end()
    page.end()
    page.becomes('fromCache')
    work(50)
    const { pages, mainThreadMs } = meter.cost('inWorkers')
    expect(pages).toBe(1)
    expect(mainThreadMs).toBeLessThan(49)
  })

  it('counts a page on the main thread as that page’s alone', async () => {
    const meter = new MainThreadMeter()
    await nextTurn()
    const inWorker = meter.begin('inWorkers')
    const onThread = meter.begin('onMainThread')
    work(60)
    onThread.end()
    inWorker.end()
    expect(meter.cost('onMainThread').mainThreadMs).toBeGreaterThanOrEqual(59)
    expect(meter.cost('inWorkers').mainThreadMs).toBeLessThan(meter.cost('onMainThread').mainThreadMs)
  })

  it('counts a page that is not in the cache as one that was rendered, from its beginning on', async () => {
    const meter = new MainThreadMeter()
    await nextTurn()
    const page = meter.begin('fromCache')
    const kept = meter.begin('fromCache')
    work(30)
    kept.end()
    page.becomes('inWorkers')
    work(30)
    page.end()
    expect(meter.cost('inWorkers')).toMatchObject({ pages: 1 })
    expect(meter.cost('inWorkers').mainThreadMs).toBeGreaterThanOrEqual(59)
    expect(meter.cost('fromCache')).toEqual({ pages: 1, mainThreadMs: 0, msPerPage: 0 })
  })
})
