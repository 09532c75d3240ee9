import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { afterAll, beforeAll, expect, it } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** Runs a program in a process of its own, which must come to its end by itself. */
async function run(program: string): Promise<string> {
  const source = `
    import { Registry } from 'prom-client'
    import { createRenderer } from '@scratchyjs/renderer'
    const worker = new URL('./fixtures/echo.mjs', '${new URL('.', import.meta.url)}')
    const redis = '${redis.url}'
    const refused = options => {
      try {
        createRenderer({ worker, maxThreads: 2, ...options })
        console.log('not refused')
      } catch ({ name }) {
        console.log(name)
      }
    }
    ${program}`
  const args = ['--input-type=module', '-e', source]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: here, timeout: 8000 })
  return stdout
}

/** A registry in which another renderer has the name already. */
const taken = `const metrics = new Registry()
  const first = createRenderer({ worker, maxThreads: 1, metrics })
  const end = () => first.close()`

it.each([
  [
    'threads',
    `refused({ worker: './worker.mjs' }); refused({ cache: { max: 0 } })`,
    'TypeError\nRangeError\n',
  ],
  ['threads of a second of its name', `${taken}; refused({ metrics }); await end()`, 'TypeError\n'],
  [
    'connections of its cache',
    `${taken}; refused({ metrics, cache: { redis } }); await end()`,
    'TypeError\n',
  ],
  [
    'connections for contexts',
    `${taken}; refused({ metrics, transport: 'redis', redis }); await end()`,
    'TypeError\n',
  ],
  [
    'name in a registry',
    `${taken}; refused({ metrics, name: 'b', resourceLimits: 5 }); refused({ metrics, name: 'b', resourceLimits: 5 }); await end()`,
    'TypeError\nTypeError\n',
  ],
])(
  'I13: a renderer that is refused leaves no %s',
  async (_, program, said) => {
    expect(await run(program)).toBe(said)
  },
  20_000,
)

it('I13: a renderer that is closed leaves nothing that keeps its process', async () => {
  const program = `const renderer = createRenderer({ worker, transport: 'redis', redis, cache: { redis }, watch: true })
    const { body } = await renderer.render({ route: '/' })
    console.log(\`\${body}\`)
    await renderer.close()`
  expect(await run(program)).toBe('{"route":"/"}\n')
}, 20_000)
