import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createRenderer, type Renderer, type RendererOptions } from '@scratchyjs/renderer'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

let folder: string
let renderer: Renderer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scratchy-recycle-'))
})
afterEach(async () => {
  await renderer.close()
  await rm(folder, { recursive: true })
})

function start(options: Partial<RendererOptions>): Renderer {
  renderer = createRenderer({
    worker: new URL('./fixtures/recycled.mjs', import.meta.url),
    maxThreads: 1,
    slots: 4,
    slotSize: 4096,
    ...options,
  })
  return renderer
}

async function page(props: object = {}): Promise<{ thread: number; n: number }> {
  const rendered = await renderer.render({ route: '/', props: { folder, ...props } })
  const made = JSON.parse(rendered.body.toString())
  rendered.release()
  return made
}

it('I14: a thread that has rendered its share is torn down and replaced, and no render fails', async () => {
  start({ recycle: { tasks: 3 } })
  const pages: { thread: number; n: number }[] = []
  for (let i = 0; i < 8; i++) pages.push(await page())
  expect(pages.map(({ n }) => n)).toEqual([1, 2, 3, 1, 2, 3, 1, 2])
  expect(new Set(pages.map(({ thread }) => thread)).size).toBe(3)
  expect(await readdir(folder)).toHaveLength(2)
  expect(renderer.stats()).toMatchObject({
    renders: 8,
    errors: 0,
    slots: { inUse: 0, quarantined: 0 },
    workers: { count: 1, restarts: 0, recycled: 2 },
  })
})

it('so is one whose heap has grown', async () => {
  start({ recycle: { heapMb: 30 } })
  const threads = new Set<number>()
  for (let i = 0; i < 80; i++) threads.add((await page({ leak: 100_000 })).thread)
  expect(threads.size).toBeGreaterThan(1)
  expect(renderer.stats()).toMatchObject({ renders: 80, errors: 0, workers: { restarts: 0 } })
})

it('I14: its last page does not wait for the teardown, which has the grace', async () => {
  start({ recycle: { tasks: 1 }, cancelGrace: 300 })
  await renderer.ready
  const began = performance.now()
  const { thread } = await page({ slowTeardown: true })
  expect(performance.now() - began).toBeLessThan(250)
  expect((await page()).thread).not.toBe(thread)
  expect(performance.now() - began).toBeGreaterThan(290)
})

it('I14: a page that is too large for its slot, a streamed one and one that fails may be the last', async () => {
  start({ recycle: { tasks: 1 } })
  expect((await renderer.render({ route: '/large' })).body).toHaveLength(20_000)
  const { stream } = await renderer.renderStream({ route: '/large' })
  expect(await text(stream)).toHaveLength(20_000)
  await expect(renderer.render({ route: '/throws' })).rejects.toThrow('as asked')
  await vi.waitFor(() =>
    expect(renderer.stats()).toMatchObject({ streams: 0, workers: { active: 0, recycled: 3 } }),
  )
})

it('many at once on several threads all come', async () => {
  start({ maxThreads: 3, recycle: { tasks: 5 } })
  await Promise.all(Array.from({ length: 60 }, () => page()))
  expect(renderer.stats()).toMatchObject({ renders: 60, errors: 0, workers: { restarts: 0 } })
})

it('I14: messages of the worker file itself do no harm', async () => {
  start({ recycle: { tasks: 2 } })
  const messages: unknown[] = []
  renderer.piscina.on('message', message => messages.push(message))
  for (const message of [null, 1, 'text', { retiring: 'no' }, { retiring: 12 }, { retiring: 1024 }]) {
    await page({ message }) // the last names the ticket of the first render
  }
  expect(messages).toContain('text')
})

it.each([{ tasks: 0 }, { heapMb: -1 }, { tasks: 1.5 }, null, 3])('refuses recycle: %j', recycle => {
  expect(() => start({ recycle: recycle as object })).toThrow(/recycle/)
  start({})
})
