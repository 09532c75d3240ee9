import { createRenderer, type Renderer } from '@scratchyjs/renderer'
import { expect, it, onTestFinished } from 'vitest'

const crashes = Number(process.env.SOAK_CRASHES ?? 9)
const threads = 2
const worker = new URL('../fixtures/soak.mjs', import.meta.url)
const endless = { route: 'canary', props: { token: 'x', times: 1e6, parts: 1e6, ms: 5 } }

/** Resolves when `count` renders run at once, each on a thread of its own. */
async function rendering(renderer: Renderer, count: number): Promise<void> {
  const streams = await Promise.all(Array.from({ length: count }, () => renderer.renderStream(endless)))
  expect(new Set(streams.map(({ headers }) => headers['x-thread'])).size).toBe(count)
  for (const { stream } of streams) stream.destroy()
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number

it(`after a crash all threads render again within twice a thread's start`, { timeout: 300_000 }, async ({
  annotate,
}) => {
  const renderer = createRenderer({ worker, maxThreads: threads })
  onTestFinished(() => renderer.close())
  await rendering(renderer, threads)
  const starts: number[] = []
  const recoveries: number[] = []
  // In turn, so that what else the machine does slows both.
  for (let i = 0; i < crashes; i++) {
    let began = performance.now()
    const other = createRenderer({ worker, maxThreads: 1 })
    await rendering(other, 1)
    starts.push(performance.now() - began)
    await other.close()

    const props = { token: 'x', times: 1, fault: i % 2 ? 'exit' : 'stray' }
    began = performance.now()
    await expect(renderer.render({ route: 'canary', props })).rejects.toMatchObject({
      code: 'WORKER_CRASHED',
    })
    await rendering(renderer, threads)
    recoveries.push(performance.now() - began)
  }
  const ratio = median(recoveries) / median(starts)
  await annotate(
    `${crashes} crashes: ${threads} renders at once again after ${median(recoveries).toFixed()} ms, from the request that crashes on; a thread's start takes ${median(starts).toFixed()} ms; ratio ${ratio.toFixed(2)} (medians)`,
  )
  expect(renderer.stats().workers).toMatchObject({ count: threads, restarts: crashes })
  expect(ratio).toBeLessThanOrEqual(2)
})
