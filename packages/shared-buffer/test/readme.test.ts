import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { runScript } from './start.js'

test('the example of the README prints what it says', async () => {
  const packageRoot = join(import.meta.dirname, '..')
  const readme = await readFile(join(packageRoot, 'README.md'), 'utf8')
  const [, example = ''] = /```js\n(.*?)```/s.exec(readme) ?? []
  const expected = [...example.matchAll(/console\.log\(.*\/\/ (.*)/g)].map(([, text]) => text)
  expect(expected).toHaveLength(1)
  const folder = join(inject('compiled'), 'readme')
  await mkdir(join(folder, 'node_modules/@scratchyjs'), { recursive: true })
  await symlink(packageRoot, join(folder, 'node_modules/@scratchyjs/shared-buffer'))
  const script = join(folder, 'example.js')
  await writeFile(script, example)
  expect(await runScript(script)).toEqual({ code: 0, stdout: expected.join('\n'), stderr: '' })
})

test('the built package can be required as well as imported, and holds all that it exports', async () => {
  const script = join(inject('compiled'), 'require.cjs')
  const index = join(import.meta.dirname, '../dist/index.js')
  const node = join(import.meta.dirname, '../dist/node.js')
  await writeFile(
    script,
    `console.log(Object.keys({ ...require(${JSON.stringify(index)}), ...require(${JSON.stringify(node)}) }).sort().join())`,
  )
  const { stdout } = await runScript(script)
  const exported = { ...(await import('../src/index.js')), ...(await import('../src/node.js')) }
  expect(stdout).toBe(Object.keys(exported).sort().join())
})
