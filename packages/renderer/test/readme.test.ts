import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

let dir: string
let server: ChildProcess
let origin: string

beforeAll(async () => {
  // Inside this package, so that its own name leads to it.
  dir = await mkdtemp(fileURLToPath(new URL('./readme-', import.meta.url)))
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  for (const [, name = '', code = ''] of readme.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)) {
    await writeFile(`${dir}/${name}`, code)
  }
  server = spawn(process.execPath, ['server.mjs'], { cwd: dir, env: { ...process.env, PORT: '0' } })
  origin = await new Promise((resolve, reject) => {
    server.stdout?.once('data', chunk => resolve(`${chunk}`.trim()))
    server.stderr?.once('data', chunk => reject(new Error(`${chunk}`)))
  })
})

afterAll(async () => {
  server.kill()
  await rm(dir, { recursive: true })
})

it("the README's example serves what it says", async () => {
  const home = await fetch(`${origin}/`)
  expect(home.status).toBe(200)
  expect(await home.text()).toContain('<h1>Hello, world</h1>')
  const missing = await fetch(`${origin}/nowhere`)
  expect(missing.status).toBe(404)
  expect(await missing.text()).toContain('<h1>Not found</h1>')
})

it("the README's static site has the files that it says", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['build.mjs'], { cwd: dir })
  expect(stdout).toBe('2 0 []\n')
  expect(await readFile(`${dir}/site/index.html`, 'utf8')).toContain('<h1>Hello, world</h1>')
  expect(await readFile(`${dir}/site/404.html`, 'utf8')).toContain('<h1>Not found</h1>')
})
