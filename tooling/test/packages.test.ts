import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const exec = promisify(execFile)
const names = ['shared-buffer', 'ring-buffer', 'redis-transport', 'cache-invalidation', 'renderer']

/** A first use of each package, as a module's text: it must end without an error. */
const firstUse: Record<string, string> = {
  'shared-buffer': `
    const shared = sharedBuffer.createSharedBuffer(64)
    sharedBuffer.writeToBuffer(shared, { hello: 'world' })
    if (sharedBuffer.readFromBuffer(shared, 0).hello !== 'world') throw new Error('not the message')`,
  'ring-buffer': `
    const ring = new ringBuffer.SharedRingBuffer(16)
    ring.write(new Uint8Array([1, 2, 3]))
    if (ring.read(16).join() !== '1,2,3') throw new Error('not the bytes')`,
  'redis-transport': `
    const client = redisTransport.createRedisClient('redis://127.0.0.1:1', { onError() {} })
    client.disconnect()`,
  'cache-invalidation': `
    if (cacheInvalidation.DEFAULT_CACHE_INVALIDATION_CHANNEL !== 'scratchy:cache:invalidate') throw new Error('channel')`,
  renderer: `
    const html = renderer.wrapInShell('<p>Hi</p>', '<title>T</title>')
    if (!html.includes('<p>Hi</p>')) throw new Error('not the page')`,
}

/** What plain npm gets on its command line: no setting of the pnpm that runs this test. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|pnpm_|node_path$)/i.test(name)),
)
let dir: string
const tarballs = new Map<string, string>()

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'scratchy-packages-'))
  for (const name of names) {
    const target = join(dir, 'tarballs', name)
    await mkdir(target, { recursive: true })
    await exec('pnpm', ['pack', '--pack-destination', target], { cwd: join(root, 'packages', name) })
    const [file = ''] = await readdir(target)
    tarballs.set(name, join(target, file))
  }
})

afterAll(() => rm(dir, { recursive: true, force: true }))

describe.each(names)('@scratchyjs/%s, packed and installed by npm in an empty folder', name => {
  const cwd = () => join(dir, name)
  const node = (...args: string[]) => exec(process.execPath, args, { cwd: cwd(), env: environment })
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  let manifest: { exports: Record<string, unknown>; devDependencies: Record<string, string>; version: string }
  let specifiers: string[]

  beforeAll(async () => {
    await mkdir(cwd())
    await writeFile(join(cwd(), 'package.json'), '{"name":"empty","private":true}')
    const source = JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8'))
    const ours = Object.keys(source.dependencies ?? {}).filter(dependency =>
      dependency.startsWith('@scratchyjs/'),
    )
    const peers = Object.keys(source.peerDependencies ?? {})
    const install = [
      ...[name, ...ours.map(dependency => dependency.replace('@scratchyjs/', ''))].map(
        dependency => tarballs.get(dependency) as string,
      ),
      ...peers.map(peer => `${peer}@${source.devDependencies[peer]}`),
      '@types/node@20',
    ]
    await exec('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...install], {
      cwd: cwd(),
      env: environment,
    })
    manifest = JSON.parse(
      await readFile(join(cwd(), 'node_modules/@scratchyjs', name, 'package.json'), 'utf8'),
    )
    specifiers = Object.keys(manifest.exports)
      .filter(entry => entry !== './package.json')
      .map(entry => `@scratchyjs/${name}${entry.slice(1)}`)
  })

  it('holds a licence, a README and no workspace: version', async () => {
    const folder = join(cwd(), 'node_modules/@scratchyjs', name)
    expect(await readdir(folder)).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'package.json']),
    )
    expect(JSON.stringify(manifest)).not.toContain('workspace:')
  })

  it('is imported from an ES module', async () => {
    const imports = specifiers.map(specifier => `await import('${specifier}')`).join('\n')
    const file = join(cwd(), 'use.mjs')
    await writeFile(file, `import * as ${camel} from '@scratchyjs/${name}'\n${firstUse[name]}\n${imports}\n`)
    await node(file)
  })

  it('is required from CommonJS', async () => {
    const requires = specifiers.map(specifier => `require('${specifier}')`).join('\n')
    const file = join(cwd(), 'use.cjs')
    await writeFile(file, `const ${camel} = require('@scratchyjs/${name}')\n${firstUse[name]}\n${requires}\n`)
    await node(file)
  })

  it.each([
    // Once with every declaration file checked itself, which takes seconds.
    { module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: false },
    { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true },
  ])('is type-checked under $moduleResolution', async options => {
    const imports = specifiers.map(
      (specifier, i) => `import * as entry${i} from '${specifier}'\nvoid entry${i}`,
    )
    const use = `import * as ${camel} from '@scratchyjs/${name}'\nvoid ${camel}\n${imports.join('\n')}\n`
    await writeFile(join(cwd(), 'use.mts'), use)
    await writeFile(
      join(cwd(), 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          ...options,
          target: 'es2022',
          lib: ['es2023', 'es2024.sharedmemory'],
          strict: true,
          noEmit: true,
          types: ['node'],
        },
        files: ['use.mts'],
      }),
    )
    await node(join(root, 'node_modules/typescript/bin/tsc'), '-p', '.').catch(error => {
      throw new Error(error.stdout)
    })
  })
})
