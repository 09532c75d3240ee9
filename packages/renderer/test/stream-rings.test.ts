import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { createRenderer, type Renderer, type RendererOptions } from '@scratchyjs/renderer'
import { afterEach, expect, it, vi } from 'vitest'

let renderer: Renderer
/** The rings of all streams, in the order of their beginnings. */
let rings: SharedArrayBuffer[]

async function start(options: Partial<RendererOptions> = {}): Promise<void> {
  renderer = createRenderer({
    worker: new URL('./fixtures/streams.mjs', import.meta.url),
    maxThreads: 1,
    slots: 4,
    streamBuffer: 32_768,
    ...options,
  })
  await renderer.ready
  rings = []
  const run = renderer.piscina.run.bind(renderer.piscina)
  vi.spyOn(renderer.piscina, 'run').mockImplementation((task, options) => {
    if (task.lane) rings.push(task.lane)
    return run(task, options)
  })
}

const idle = (streams = 0) =>
  vi.waitFor(() => expect(renderer.stats()).toMatchObject({ streams, workers: { active: 0 } }))
/** A stream whose consumer leaves it when its thread can't hear of that any more. */
async function leaveSpinning(): Promise<void> {
  const { stream } = await renderer.renderStream({ route: 'spins', props: { ms: 60_000 } })
  await once(stream, 'readable')
  stream.destroy()
}

const whole = '<h1>Zoë 🎈</h1>end'
const render = async () => text((await renderer.renderStream({ route: 'string' })).stream)

afterEach(async () => {
  vi.restoreAllMocks()
  await renderer.close()
})

it('I3: a ring serves the next stream when its own is over', async () => {
  await start()
  for (let i = 0; i < 3; i++) {
    expect(await render()).toBe(whole)
    await idle()
  }
  expect(new Set(rings).size).toBe(1)
})

it('I3: a ring serves no other stream before its own is read', async () => {
  await start()
  const { stream } = await renderer.renderStream({ route: 'string' })
  await idle(1)
  expect(await render()).toBe(whole)
  expect(await text(stream)).toBe(whole)
  await idle()
  expect(new Set(rings).size).toBe(2)
})

it('I3: a ring serves no other stream while its thread may write to it', async () => {
  await start({ maxThreads: 2, cancelGrace: 50 })
  await leaveSpinning()
  expect(await render()).toBe(whole) // begun before the grace
  expect(new Set(rings).size).toBe(2)
})

it('I2: the ring of a killed thread serves no stream again', async () => {
  await start({ cancelGrace: 20 })
  await leaveSpinning()
  await idle()
  expect(renderer.stats().workers.restarts).toBe(1)
  expect(await render()).toBe(whole)
  expect(new Set(rings).size).toBe(2)
})

it('I8: a page whose worker is done before its rings are heard comes all the same', async () => {
  await start()
  // Rings that are not heard until the end of the test.
  vi.spyOn(Atomics, 'waitAsync').mockReturnValue({ async: true, value: new Promise(() => {}) } as never)
  const { statusCode, headers, stream } = await renderer.renderStream({ route: 'response' })
  expect([statusCode, headers['x-kind']]).toEqual([203, 'response'])
  expect(await text(stream)).toBe(whole)
  expect(renderer.stats()).toMatchObject({ renders: 1, errors: 0 })
})
