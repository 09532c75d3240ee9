import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startRedis } from '@scratchyjs/tooling/redis'
import { expect, it } from 'vitest'

it("the README's example prints what it says, and ends", async () => {
  const server = await startRedis()
  // Inside this package, so that its own name leads to it.
  const dir = await mkdtemp(fileURLToPath(new URL('./readme-', import.meta.url)))
  try {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const [, code = ''] = readme.match(/```js\n([\s\S]*?)```/) ?? []
    await writeFile(`${dir}/example.mjs`, code)
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${dir}/example.mjs`], {
      env: { ...process.env, REDIS_URL: server.url },
      timeout: 15_000,
    })
    expect(stderr).toBe('')
    expect(stdout).toBe('/: hello world\n')
  } finally {
    await rm(dir, { recursive: true })
    await server.stop()
  }
})
