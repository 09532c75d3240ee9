import { execFile } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'

test.each([
  ['messages.mjs', 'one\ntwo\nthree\n'],
  ['stream.mjs', 'hello hello hello '],
])("the README's example %s prints what was written", async (main, output) => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const blocks = [...readme.matchAll(/^`(\w+\.mjs)`.*\n\n```js\n([\s\S]*?)```$/gm)]
  const folder = await mkdtemp(join(inject('folder'), 'readme-'))
  for (const [, name, code] of blocks) await writeFile(join(folder, name as string), code as string)
  expect(blocks.map(([, name]) => name)).toEqual(['messages.mjs', 'stream.mjs'])
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, main)], { timeout: 15_000 })
  expect(stdout).toBe(output)
})
