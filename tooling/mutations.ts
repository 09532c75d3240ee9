import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A change to a package's code that its tests must notice. */
export interface Mutation {
  /** As in INVARIANTS.md. */
  name: string
  /** The source, from the package's `src` on. */
  file: string
  /** Text that stands in the source exactly once, and what takes its place. */
  replace: string
  by: string
  /** The tests that must fail, from the package's folder on. */
  killedBy: string[]
}

const VARIABLE = 'MUTATION'
/** A mutant may loop for ever; its tests take a few seconds otherwise. */
const LIMIT_MS = 60_000

/**
 * A plugin for a package's vitest.config.ts: with `MUTATION=name` in the environment its tests run against that
 * mutant, without it against the code as it is.
 */
export function mutant(mutations: Mutation[]): {
  name: string
  enforce: 'pre'
  transform(code: string, id: string): string | undefined
} {
  const wanted = process.env[VARIABLE]
  const mutation = mutations.find(({ name }) => name === wanted)
  if (wanted !== undefined && !mutation)
    throw new Error(`${VARIABLE}="${wanted}" names none of the mutations`)
  return {
    name: 'mutant',
    enforce: 'pre',
    transform: (code, id) =>
      mutation && id.endsWith(`/src/${mutation.file}`) ? mutate(code, mutation) : undefined,
  }
}

function mutate(code: string, { name, file, replace, by }: Mutation): string {
  const parts = code.split(replace)
  if (parts.length === 2) return parts.join(by)
  throw new Error(`Mutation "${name}": its text stands ${parts.length - 1} times in ${file}, not once`)
}

/** Runs the mutant's tests. Answers the names of those that failed, or why there is none. */
export async function killersOf(folder: string, { name, killedBy }: Mutation): Promise<string[]> {
  const vitest = join(
    dirname(createRequire(join(folder, 'package.json')).resolve('vitest/package.json')),
    'vitest.mjs',
  )
  const child = spawn(process.execPath, [vitest, 'run', '--reporter=json', '--bail=1', ...killedBy], {
    cwd: folder,
    env: { ...process.env, [VARIABLE]: name },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', text => (output += text))
  child.stderr.setEncoding('utf8').on('data', text => (errors += text))
  const [, signal] = await once(child, 'close')
  if (signal) return [`never ended: ${signal}`]
  const report = parse(output)
  if (!report) throw new Error(`Mutation "${name}": its tests did not run\n${output}${errors}`)
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  )
}

interface Report {
  testResults: { assertionResults: { status: string; fullName: string }[] }[]
}

function parse(output: string): Report | undefined {
  const start = output.indexOf('{"')
  if (start < 0) return undefined
  const report = JSON.parse(output.slice(start)) as Report
  return report.testResults.some(({ assertionResults }) => assertionResults.length > 0) ? report : undefined
}
