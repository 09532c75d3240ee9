import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createRenderer, type Renderer, type RendererOptions } from '@scratchyjs/renderer'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

let folder: string
let renderer: Renderer

beforeEach(async () => {
  // Beside this file, from where the package is found.
  folder = await mkdtemp(join(import.meta.dirname, 'reload-'))
})
afterEach(async () => {
  await renderer.close()
  await rm(folder, { recursive: true })
})

const write = (page: string, extra = '') =>
  writeFile(
    join(folder, 'worker.mjs'),
    `import { defineRenderer } from '@scratchyjs/renderer/worker'
     ${extra}
     export default defineRenderer({ async render() { await new Promise(r => setTimeout(r, 30)); return ${page} } })`,
  )

async function start(options: Partial<RendererOptions> = {}): Promise<void> {
  renderer = createRenderer({
    worker: pathToFileURL(join(folder, 'worker.mjs')),
    maxThreads: 2,
    slots: 4,
    ...options,
  })
  await renderer.ready
}

async function page(): Promise<string> {
  const rendered = await renderer.render({ route: '/' })
  const text = rendered.body.toString()
  rendered.release()
  return text
}

it('renders with the worker file as it is now, and none under way is lost', async () => {
  await write('"old"')
  await start()
  const before = [page(), page(), page()]
  await write('"new"')
  const reloaded = renderer.reload()
  const after = [page(), page(), page()]
  await reloaded
  expect(await Promise.all(before)).toEqual(['old', 'old', expect.stringMatching(/old|new/)])
  expect(await Promise.all(after)).toEqual(['new', 'new', 'new'])
  expect(renderer.stats()).toMatchObject({ errors: 0, workers: { restarts: 0 } })
})

it('can be asked for several times at once, and after a file that can not be loaded', async () => {
  await write('"old"')
  await start()
  await write('"never"', 'throw new Error("half written")')
  await Promise.all([renderer.reload(), renderer.reload(), renderer.reload()])
  await expect(page()).rejects.toMatchObject({ code: 'WORKER_UNUSABLE' })
  await write('"whole"')
  await renderer.reload()
  expect(await page()).toBe('whole')
})

it('happens by itself with watch', async () => {
  await write('"old"')
  await start({ watch: true })
  expect(await page()).toBe('old')
  await write('"new"')
  await vi.waitFor(async () => expect(await page()).toBe('new'), { timeout: 5000, interval: 50 })
})

it('does not keep close from ending', async () => {
  await write('"old"')
  await start()
  const pages = [page(), page(), page()]
  const reloaded = renderer.reload()
  const closed = renderer.close()
  await Promise.all([...pages, reloaded, closed])
  await expect(page()).rejects.toMatchObject({ code: 'RENDERER_CLOSED' })
  await renderer.reload()
})
