import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const app = fileURLToPath(new URL('..', import.meta.url))

/** A portal with documents of its own, which a test may change. */
export interface PortalCopy {
  main: string
  /** The folder of Fastify's documents. */
  docs: string
  remove(): Promise<void>
}

/** Copies what is built, and Fastify with its documents; everything else is linked. */
export async function copyPortal(): Promise<PortalCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'scratchy-portal-'))
  const modules = join(folder, 'node_modules')
  await mkdir(modules)
  for (const part of ['dist', 'assets', 'package.json']) {
    await cp(join(app, part), join(folder, part), { recursive: true })
  }
  const fastify = await realpath(join(app, 'node_modules/fastify'))
  await cp(fastify, join(modules, 'fastify'), { recursive: true })
  for (const from of [join(app, 'node_modules'), dirname(fastify)]) {
    for (const name of await packagesIn(from)) {
      await mkdir(dirname(join(modules, name)), { recursive: true })
      await symlink(join(from, name), join(modules, name)).catch(ignoreExisting)
    }
  }
  return {
    main: join(folder, 'dist/main.js'),
    docs: join(modules, 'fastify/docs'),
    remove: () => rm(folder, { recursive: true }),
  }
}

/** `react`, `@fastify/static`, … */
async function packagesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(name => !name.startsWith('.'))
  const nested = names.map(async name =>
    name.startsWith('@') ? (await readdir(join(folder, name))).map(part => `${name}/${part}`) : name,
  )
  return (await Promise.all(nested)).flat().filter(name => basename(name) !== 'fastify')
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
