import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe } from './error-transfer.js'
import { UsageError } from './ssg-arguments.js'
import type { SsgOptions } from './ssg-options.js'
import type { SsgRoutes } from './ssg-routes.js'

/** The full path of a file that an option names. Throws {@link UsageError} when there is none. */
export function existingFile(option: string, file: string): string {
  const path = resolve(file)
  if (!existsSync(path)) throw new UsageError(`--${option}: there is no file ${path}`)
  return path
}

/** The routes that a file lists or makes. Throws {@link UsageError}; what a module throws. */
export async function loadRoutes(file: string): Promise<SsgRoutes> {
  const path = existingFile('routes', file)
  const kind = extname(path)
  if (kind === '.txt') return linesOf(await readFile(path, 'utf8'))
  const given = kind === '.json' ? jsonOf(path, await readFile(path, 'utf8')) : await exportOf('routes', path)
  const routes = typeof given === 'function' ? await given() : given
  if (isRoutes(routes)) return routes
  throw new UsageError(
    `--routes: ${path} must hold an array or iterable of strings, and holds ${describe(routes)}`,
  )
}

/** The function that makes the props. Throws {@link UsageError}; what its module throws. */
export async function loadProps(file: string): Promise<NonNullable<SsgOptions['getProps']>> {
  const path = existingFile('props', file)
  const getProps = await exportOf('props', path)
  if (typeof getProps === 'function') return getProps as NonNullable<SsgOptions['getProps']>
  throw new UsageError(
    `--props: the default export of ${path} must be a function, and is ${describe(getProps)}`,
  )
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))

function jsonOf(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`--routes: ${path} is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

async function exportOf(option: string, path: string): Promise<unknown> {
  if (!/^\.[cm]?[jt]s$/.test(extname(path))) {
    throw new UsageError(`--${option}: ${path} has none of the endings that can be read`)
  }
  const module = await import(pathToFileURL(path).href)
  return module.default
}

function isRoutes(value: unknown): value is SsgRoutes {
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  )
}
