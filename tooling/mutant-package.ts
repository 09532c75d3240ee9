import { rmSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Options } from 'tsup'
import { chosen, type Mutation, mutate } from './mutations.js'

/** In the package, so that what is in there finds the package's dependencies. Not in Git. */
const FOLDER = '.mutants'
const COPIED = ['package.json', 'src', 'test']

/**
 * For the vitest.config.ts of a package whose tests use what is built, in worker threads and processes of their own,
 * where no transform of vitest's reaches. With `MUTATION` in the environment it answers a copy of the package to take
 * for `root`: of the mutant, or with an empty name of the code as it is. The copy has its own package.json, so the
 * package's name leads to the copy's dist from everywhere in it. Several may run at a time; none touches the real dist.
 */
export async function mutantPackage(
  folder: string,
  mutations: Mutation[],
  build: Options,
): Promise<string | undefined> {
  const mutation = chosen(mutations)
  if (mutation === undefined) return undefined
  const parent = join(folder, FOLDER)
  await mkdir(parent, { recursive: true })
  await removeAbandoned(parent)
  const copy = await mkdtemp(join(parent, `${process.pid}-`))
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }))

  await Promise.all(COPIED.map(name => cp(join(folder, name), join(copy, name), { recursive: true })))
  if (mutation) {
    const file = join(copy, 'src', mutation.file)
    await writeFile(file, mutate(await readFile(file, 'utf8'), mutation))
  }
  const tsup = await import('tsup') // only here: ordinary runs need not wait for it
  await tsup.build({
    ...build,
    entry: (build.entry as string[]).map(entry => resolve(copy, entry)),
    outDir: join(copy, 'dist'),
    config: false,
    dts: false,
    clean: false,
    silent: true,
  })
  return copy
}

/** The copies of processes that were killed. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    try {
      process.kill(Number.parseInt(name, 10), 0)
    } catch {
      await rm(join(parent, name), { recursive: true, force: true })
    }
  }
}
