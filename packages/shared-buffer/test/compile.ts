import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the JavaScript of `src` and `test/threads` lies while the tests run. */
    compiled: string
  }
}

const packageRoot = join(import.meta.dirname, '..')

/** Worker threads and child processes can't run TypeScript: this translates what they need, anew for each run. */
export default function setup(project: TestProject): () => void {
  const compiled = mkdtempSync(join(tmpdir(), 'shared-buffer-test-'))
  translate(compiled)
  project.onTestsRerun(async () => translate(compiled))
  project.provide('compiled', compiled)
  return () => rmSync(compiled, { recursive: true, force: true })
}

function translate(compiled: string): void {
  for (const folder of ['src', 'test/threads']) {
    mkdirSync(join(compiled, folder), { recursive: true })
    for (const file of readdirSync(join(packageRoot, folder)).filter(name => /(?<!\.test)\.ts$/.test(name))) {
      const { outputText } = ts.transpileModule(readFileSync(join(packageRoot, folder, file), 'utf8'), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
      })
      writeFileSync(join(compiled, folder, file.replace(/ts$/, 'js')), outputText)
    }
  }
  writeFileSync(join(compiled, 'package.json'), '{ "type": "module" }')
}
