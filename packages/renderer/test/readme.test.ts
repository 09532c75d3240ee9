import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startRedis } from '@scratchyjs/tooling/redis'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'

let dir: string
let server: ChildProcess

beforeAll(async () => {
  // Inside this package, so that its own name leads to it.
  dir = await mkdtemp(fileURLToPath(new URL('./readme-', import.meta.url)))
  const texts = ['../README.md', '../CACHE.md'].map(file => readFile(new URL(file, import.meta.url), 'utf8'))
  const readme = (await Promise.all(texts)).join('')
  for (const [, name = '', code = ''] of readme.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)) {
    await writeFile(`${dir}/${name}`, code)
  }
})

afterEach(() => {
  server.kill()
})

async function start(file: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  server = spawn(process.execPath, [file], { cwd: dir, env: { ...process.env, PORT: '0', ...env } })
  return await new Promise((resolve, reject) => {
    server.stdout?.once('data', chunk => resolve(`${chunk}`.trim()))
    server.stderr?.once('data', chunk => reject(new Error(`${chunk}`)))
  })
}

afterAll(async () => {
  await rm(dir, { recursive: true })
})

it("the README's example serves what it says", async () => {
  const origin = await start('server.mjs')
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

it("the cache's example caches what it says", async () => {
  const redis = await startRedis()
  try {
    const origin = await start('pages.mjs', { REDIS_URL: redis.url })
    for (let i = 0; i < 2; i++) {
      for (const path of ['/', '/?q=1', '/?q=1&utm=2', '/docs/a?q=1']) await fetch(origin + path)
    }
    const saved = await fetch(`${origin}/saved`, { method: 'POST' })
    // The pages of /docs are a 404 of the example's worker.
    expect(await saved.json()).toEqual({ hits: 4, misses: 4, stale: 0, bypassed: 0 })
    await fetch(`${origin}/`)
    expect(await (await fetch(`${origin}/saved`, { method: 'POST' })).json()).toMatchObject({ misses: 5 })
  } finally {
    await redis.stop()
  }
})
