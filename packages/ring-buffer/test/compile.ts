import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder whose scripts can import `@scratchyjs/ring-buffer`, compiled from the sources of now. */
    folder: string
  }
}

const packageFolder = fileURLToPath(new URL('..', import.meta.url))

/** Threads and processes that a test starts run plain JavaScript: this compiles the sources for them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'ring-buffer-'))
  await compile(folder)
  project.provide('folder', folder)
  project.onTestsRerun(() => compile(folder))
  return () => rm(folder, { recursive: true })
}

async function compile(folder: string): Promise<void> {
  const installed = join(folder, 'node_modules/@scratchyjs/ring-buffer')
  for (const directory of ['src', 'test/threads']) {
    for (const name of await readdir(join(packageFolder, directory))) {
      if (name.endsWith('.test.ts')) continue
      const source = await readFile(join(packageFolder, directory, name), 'utf8')
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
      })
      const target = join(installed, directory, name.replace(/\.ts$/, '.js'))
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, outputText)
    }
  }
  const exports = { '.': './src/index.js', './node': './src/node.js', './threads/*': './test/threads/*' }
  await writeFile(join(installed, 'package.json'), JSON.stringify({ type: 'module', exports }))
}
