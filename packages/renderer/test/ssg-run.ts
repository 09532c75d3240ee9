import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { runSsgPipeline, type SsgOptions, type SsgResult } from '@scratchyjs/renderer'
import { afterEach, beforeEach, expect } from 'vitest'

const threads = new Set<Worker>()
process.on('worker', thread => {
  threads.add(thread)
  thread.once('exit', () => threads.delete(thread))
})

export const siteWorker: URL = new URL('./fixtures/ssg-site.mjs', import.meta.url)

/** A new empty folder for each test, with nothing of the pipeline's left in it, and no thread, after the test. */
export let dir: string
export let outDir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ssg-test-'))
  outDir = join(dir, 'site')
})

afterEach(async () => {
  try {
    expect([...threads], 'threads that are left').toEqual([])
    expect((await filesIn(dir)).filter(file => file.includes('.scratchy-ssg-'))).toEqual([])
  } finally {
    await rm(dir, { recursive: true })
  }
})

/** Runs the pipeline with two threads. */
export function build(routes: SsgOptions['routes'], options: Partial<SsgOptions> = {}): Promise<SsgResult> {
  return runSsgPipeline({ worker: siteWorker, routes, outDir, maxThreads: 2, ...options })
}

/** Every file and folder below a folder, folders with a slash at the end. */
export async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found
    .map(
      entry =>
        `${join(entry.parentPath, entry.name).slice(folder.length + 1)}${entry.isDirectory() ? '/' : ''}`,
    )
    .sort()
}
