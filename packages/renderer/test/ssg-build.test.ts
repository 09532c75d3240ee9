import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createRenderer } from '@scratchyjs/renderer'
import { expect, it, vi } from 'vitest'
import { SsgBuild } from '../src/ssg-build.js'
import { SiteFolder } from '../src/ssg-folder.js'
import { RouteSource } from '../src/ssg-routes.js'
import { outDir, siteWorker } from './ssg-run.js'

it("I1: gives every page's memory back, written or not", async () => {
  const renderer = createRenderer({ worker: siteWorker, maxThreads: 1 })
  await mkdir(join(outDir, 'folder/index.html'), { recursive: true })
  const folder = await SiteFolder.open(outDir)
  const props: Record<string, object> = {
    '/404': { kind: 'status', number: 404 },
    '/throws': { kind: 'throws' },
  }
  const steps = { statuses: {}, concurrency: 2, getProps: (route: string) => props[route] }
  const run = (onProgress: () => void) =>
    new SsgBuild(renderer, folder, { ...steps, onProgress }, new AbortController()).run(
      new RouteSource(['/a', '/404', '/throws', '/folder']),
    )
  try {
    const kinds = async () => (await run(() => {})).map(([kind]) => kind)
    expect(await kinds()).toEqual(['rendered', 'failed', 'failed', 'failed'])
    expect(await kinds()).toEqual(['unchanged', 'failed', 'failed', 'failed'])
    await expect(
      run(() => {
        throw new Error('ended')
      }),
    ).rejects.toThrow('ended')
    // The render that was given up still has its slot until its thread has noticed.
    await vi.waitFor(() => expect(renderer.stats().slots.inUse).toBe(0))
    expect(renderer.stats().transport.payload).toBe(0)
    expect(renderer.stats().transport.shared).toBeGreaterThanOrEqual(6)
  } finally {
    folder.close()
    await renderer.close()
  }
})
