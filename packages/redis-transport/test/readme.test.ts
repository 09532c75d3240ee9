import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { afterAll, beforeAll, expect, it } from 'vitest'

let server: RedisServer
let dir: string

beforeAll(async () => {
  server = await startRedis()
  // Inside this package, so that its own name leads to it.
  dir = await mkdtemp(fileURLToPath(new URL('./readme-', import.meta.url)))
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  for (const [, code = '', name = ''] of readme.matchAll(/```js\n(\/\/ ([\w.]+)[\s\S]*?)```/g))
    await writeFile(`${dir}/${name}`, code)
})
afterAll(async () => {
  await rm(dir, { recursive: true })
  await server.stop()
})

const run = (name: string, url: string) =>
  promisify(execFile)(process.execPath, [`${dir}/${name}`], {
    env: { ...process.env, REDIS_URL: url },
    timeout: 15_000,
  })

it.each([
  ['server.js', '<p>/: hello world</p>\n'],
  ['pages.js', '<p>found</p>\nfalse\n'],
])("the README's %s prints what it says, and ends", async (name, output) => {
  expect(await run(name, server.url)).toEqual({ stdout: output, stderr: '' })
})
