import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { afterAll, beforeAll, expect, it } from 'vitest'

let server: RedisServer
let dir: string
let examples: string[]

beforeAll(async () => {
  server = await startRedis()
  // Inside this package, so that its own name leads to it.
  dir = await mkdtemp(fileURLToPath(new URL('./readme-', import.meta.url)))
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code)
})
afterAll(async () => {
  await rm(dir, { recursive: true })
  await server.stop()
})

async function run(code: string): Promise<string> {
  await writeFile(`${dir}/example.mjs`, code)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${dir}/example.mjs`], {
    env: { ...process.env, REDIS_URL: server.url },
    timeout: 15_000,
  })
  expect(stderr).toBe('')
  return stdout
}

it("the README's first example prints what it says, and ends", async () => {
  expect(await run(examples[0] as string)).toBe('<h1>Hello</h1>\n<h1>Goodbye</h1>\n')
})

it("the README's server drops the page that was saved, and ends when it is closed", async () => {
  const visitor = `
    const saved = await app.inject({ method: 'POST', url: '/saved' })
    const until = Date.now() + 5000
    let status
    do {
      await new Promise(setImmediate)
      status = (await app.inject('/status')).json()
    } while ((status.pages > 0 || status.cache !== 'synchronised') && Date.now() < until)
    console.log(saved.statusCode, JSON.stringify(status))
    await app.close()
  `
  expect(await run(`${examples[1]}${visitor}`)).toBe('200 {"cache":"synchronised","pages":0}\n')
})
