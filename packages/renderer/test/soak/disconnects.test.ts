import { seededRandom } from '@scratchyjs/tooling/random'
import { expect, it, onTestFinished } from 'vitest'
import { Client } from './client.js'
import { fullCapacity, holdings, idle, memory } from './leaks.js'
import { serve } from './server.js'

const disconnects = Number(process.env.SOAK_DISCONNECTS ?? 200)
const seed = Number(process.env.STRESS_SEED ?? 1)
const threads = 3

it(`${disconnects} clients leave in the midst of a render that hears of it: no thread is lost`, {
  timeout: 3_600_000,
}, async ({ annotate }) => {
  const random = seededRandom(seed)
  const { app, port } = await serve({ maxThreads: threads, slots: 8, streamBuffer: 65_536 })
  onTestFinished(() => app.close())
  const { renderer } = app
  await renderer.ready
  const ids = () => renderer.piscina.threads.map(({ threadId }) => threadId)
  const began = ids()

  let next = 0
  let answered = 0

  /** No more at once than threads, so that each is rendered when its client leaves. */
  const leave = async (times: number) => {
    const client = new Client(port)
    const goal = renderer.stats().cancelled + times
    const loop = async () => {
      // Of some the server has not heard yet when they leave.
      while (renderer.stats().cancelled < goal) {
        const token = `<${next++}>`
        const leaves = Math.floor(20 * random())
        const page = { token, times: 1, fault: 'wait' }
        const stream = { token, times: 1e6, parts: 1e6, ms: Math.floor(3 * random()) }
        const kind = random()
        const answer = await (kind < 0.4
          ? client.ask({ path: 'page', props: page, leavesAfter: 5 + leaves })
          : kind < 0.5
            ? client.ask({ path: 'stream', props: page, leavesAfter: 5 + leaves })
            : client.ask({ path: 'stream', props: stream, leavesAfterFirst: leaves }))
        if (answer) answered++
      }
    }
    await Promise.all(Array.from({ length: threads }, loop))
    client.close()
    await idle(renderer, app)
  }
  const heapOfThreads = async () => {
    let most = 0
    for (let i = 0; i < 4 * threads; i++) {
      const page = await renderer.render({ route: 'heap' })
      most = Math.max(most, Number(page.body.toString()))
      page.release()
    }
    return most
  }

  await leave(100)
  const before = { held: holdings(app), worker: await heapOfThreads(), ...(await memory()) }
  const { cancelled } = renderer.stats()
  await leave(disconnects)
  const after = { held: holdings(app), worker: await heapOfThreads(), ...(await memory()) }
  const stats = renderer.stats()
  const worker = after.worker - before.worker
  await annotate(
    `seed ${seed}: ${disconnects} clients left, ${stats.cancelled - cancelled} renders cancelled, threads killed ${stats.workers.restarts}; heap ${(after.heap - before.heap) >> 10} KiB more, of the largest thread ${worker >> 10} KiB`,
  )
  expect(answered).toBe(0)
  expect(stats.cancelled - cancelled).toBeGreaterThanOrEqual(disconnects)
  expect(stats).toMatchObject({ errors: 0, workers: { count: threads, restarts: 0 }, streams: 0 })
  expect(stats.slots).toMatchObject({ inUse: 0, quarantined: 0 })
  expect(ids()).toEqual(began)
  expect(after.held).toEqual(before.held)
  expect(after.heap - before.heap).toBeLessThan(2 ** 20 + 100 * disconnects)
  expect(worker).toBeLessThan(2 ** 20 + 100 * disconnects)
  expect(new Set(await fullCapacity(renderer, threads))).toEqual(new Set(began.map(String)))
})
