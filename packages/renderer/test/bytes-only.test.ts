import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { getHeapSnapshot } from 'node:v8'
import { createRenderer, type RendererOptions } from '@scratchyjs/renderer'
import { describe, expect, it } from 'vitest'

const worker = new URL('./fixtures/worker.mjs', import.meta.url)
// Joined in the worker alone, so that the main thread's heap can only hold the whole if the page's text came over.
const parts = ['<b>marker-of-the-page', '-joined-in-the-worker</b>']

/** Whether a heap snapshot of this thread, taken now, holds the joined marker in any string. */
async function heapHoldsMarker(): Promise<boolean> {
  const dir = await mkdtemp(join(tmpdir(), 'scratchy-heap-'))
  const file = join(dir, 'heap.json')
  try {
    await pipeline(getHeapSnapshot(), createWriteStream(file))
    const needle = Buffer.concat(parts.map(part => Buffer.from(part)))
    let tail: Buffer = Buffer.alloc(0)
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) {
      const window = Buffer.concat([tail, chunk])
      if (window.includes(needle)) return true
      tail = window.subarray(-needle.length)
    }
    return false
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function rendered(options: Partial<RendererOptions>, times = 3) {
  const renderer = createRenderer({ worker, maxThreads: 1, slotSize: 65_536, ...options })
  const page = await renderer.render({ route: 'marker', props: { parts, times } })
  return { renderer, page }
}

describe('the main thread', () => {
  it.each([
    ['shared memory', {}, 3],
    ['a page that does not fit its slot', { slotSize: 256 }, 10],
    ['the payload transport', { transport: 'payload' as const }, 3],
  ])('never holds the HTML as a string: only bytes cross, through %s', async (_, options, times) => {
    const { renderer, page } = await rendered(options, times)
    expect(page.body.length).toBeGreaterThan(150)
    expect(await heapHoldsMarker()).toBe(false)
    page.release()
    await renderer.close()
  })

  it('would be caught holding it: a raw task brings the string over', async () => {
    const { renderer, page } = await rendered({})
    page.release()
    const raw = await renderer.runTask<{ body: string }>({ route: 'marker', props: { parts, times: 1 } })
    expect(await heapHoldsMarker()).toBe(true)
    expect(raw.body.length).toBeGreaterThan(40)
    await renderer.close()
  })
})
