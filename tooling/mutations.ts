import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
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
  /** The files of tests that must notice it, from the package's folder on. */
  killedBy: string[]
  /** Which of their tests, a regular expression for full names. For files that take long. */
  named?: string
}

const VARIABLE = 'MUTATION'
/** What a test may take that has no limit of its own; those that kill take less than a second. */
const TEST_LIMIT_MS = 4000
/** The same for what goes before and after it: closing may wait for what hangs. */
const HOOK_LIMIT_MS = 2 * TEST_LIMIT_MS
/** A mutant may loop for ever, or sleep: then only the end of its process ends it. The second is for a busy machine. */
const LIMITS_MS = [15_000, 60_000]
/** For all that is run to try one. */
export const TRIAL_MS: number = 2 * (15_000 + 60_000)
/** For several files of tests on the code as it is. */
export const CONTROL_LIMIT_MS = 60_000

/**
 * A plugin for a package's vitest.config.ts: with `MUTATION=name` in the environment its tests run against that
 * mutant; without it, or with an empty one, against the code as it is.
 */
export function mutant(mutations: Mutation[]): {
  name: string
  enforce: 'pre'
  transform(code: string, id: string): string | undefined
} {
  const mutation = chosen(mutations)
  return {
    name: 'mutant',
    enforce: 'pre',
    transform: (code, id) =>
      mutation && id.endsWith(`/src/${mutation.file}`) ? mutate(code, mutation) : undefined,
  }
}

/** Which mutant the environment asks for; `null` for the code as it is, `undefined` when it doesn't say. */
export function chosen(mutations: Mutation[]): Mutation | null | undefined {
  const wanted = process.env[VARIABLE]
  if (!wanted) return wanted === undefined ? undefined : null
  return mutationNamed(wanted, mutations)
}

export function mutationNamed(name: string, mutations: Mutation[]): Mutation {
  const mutation = mutations.find(mutation => mutation.name === name)
  if (!mutation) throw new Error(`There is no mutation "${name}"`)
  return mutation
}

/** Throws when the mutation's text doesn't stand exactly once in its file. */
export async function requirePlace(folder: string, mutation: Mutation): Promise<void> {
  mutate(await readFile(join(folder, 'src', mutation.file), 'utf8'), mutation)
}

export function mutate(code: string, { name, file, replace, by }: Mutation): string {
  const parts = code.split(replace)
  if (parts.length === 2) return parts.join(by)
  throw new Error(`Mutation "${name}": its text stands ${parts.length - 1} times in ${file}, not once`)
}

/**
 * Runs the mutant's tests, and answers what noticed it: the tests that failed and why, or that it never ended. None
 * when it survives. Throws when the mutant can't be loaded or no test ran, for then nothing was tried.
 */
export async function noticed(folder: string, mutation: Mutation): Promise<string[]> {
  const { name, killedBy, named } = mutation
  const options = ['--bail=1', ...optionsFor(named)]
  for (const limitMs of LIMITS_MS) {
    const failures = await failuresOf(folder, killedBy, { options, mutation: name, limitMs })
    if (failures) return failures
    // Unless the machine is that slow.
    const falseAlarms = await failuresOf(folder, killedBy, { options, limitMs })
    if (falseAlarms?.length === 0) return [`hung: ended after ${limitMs} ms`]
  }
  throw new Error(`Cannot try mutation "${name}": its tests are too slow on the code as it is, too`)
}

/** Tests that are run together. */
export type Tests = Pick<Mutation, 'killedBy' | 'named'>

/** The tests of all mutations, each once. */
export function testsOf(mutations: Mutation[]): Tests[] {
  const whole = mutations.filter(({ named }) => named === undefined)
  const parts = new Map<string, { killedBy: string[]; names: Set<string> }>()
  for (const { killedBy, named } of mutations) {
    if (named === undefined) continue
    const known = parts.get(`${killedBy}`)
    if (known) known.names.add(named)
    else parts.set(`${killedBy}`, { killedBy, names: new Set([named]) })
  }
  return [
    { killedBy: [...new Set(whole.flatMap(({ killedBy }) => killedBy))] },
    ...[...parts.values()].map(({ killedBy, names }) => ({ killedBy, named: [...names].join('|') })),
  ]
}

/** Runs tests in the same way on the code as it is: what fails then notices no mutant. */
export async function falseAlarms(folder: string, { killedBy, named }: Tests): Promise<string[]> {
  const options = optionsFor(named)
  const failures = await failuresOf(folder, killedBy, { options, limitMs: CONTROL_LIMIT_MS })
  return failures ?? [`hung: ended after ${CONTROL_LIMIT_MS} ms`]
}

const optionsFor = (named: string | undefined) => (named === undefined ? [] : ['-t', named])

interface RunOptions {
  options: string[]
  mutation?: string
  limitMs: number
}

/** `undefined` when it did not end in time. */
async function failuresOf(
  folder: string,
  files: string[],
  { options, mutation = '', limitMs }: RunOptions,
): Promise<string[] | undefined> {
  const vitest = join(
    dirname(createRequire(join(folder, 'package.json')).resolve('vitest/package.json')),
    'vitest.mjs',
  )
  // In threads, not processes: so the end of this one process also ends tests that loop.
  const limits = [`--testTimeout=${TEST_LIMIT_MS}`, `--hookTimeout=${HOOK_LIMIT_MS}`]
  const how = ['--pool=threads', '--reporter=json', '--silent', ...limits]
  const child = spawn(process.execPath, [vitest, 'run', ...how, ...options, ...files], {
    cwd: folder,
    env: { ...process.env, [VARIABLE]: mutation },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', text => (output += text))
  child.stderr.setEncoding('utf8').on('data', text => (errors += text))
  const [, signal] = await once(child, 'close')
  if (signal) return undefined
  const ran = resultsIn(output)
  const unloaded = ran.filter(({ status, tests }) => status === 'failed' && !tests.some(failed))
  if (unloaded.length > 0 || !ran.some(({ tests }) => tests.some(test => failed(test) || passed(test)))) {
    const why = unloaded.map(({ message }) => message).join('\n') || `${output}${errors}`
    throw new Error(
      `Cannot try mutation "${mutation}" with ${files}: no test ran, or not all could be loaded\n${why}`,
    )
  }
  return ran.flatMap(({ tests }) => tests.filter(failed)).map(describe)
}

interface TestResult {
  status: string
  fullName: string
  failureMessages: string[]
}

interface FileResult {
  status: string
  message: string
  tests: TestResult[]
}

function resultsIn(output: string): FileResult[] {
  const report = output.split('\n').find(line => line.startsWith('{"numTotalTestSuites"'))
  if (report === undefined) return []
  const { testResults } = JSON.parse(report) as {
    testResults: (Omit<FileResult, 'tests'> & { assertionResults: TestResult[] })[]
  }
  return testResults.map(({ assertionResults, ...file }) => ({ ...file, tests: assertionResults }))
}

const failed = ({ status }: TestResult): boolean => status === 'failed'
const passed = ({ status }: TestResult): boolean => status === 'passed'

function describe({ fullName, failureMessages: [why = ''] }: TestResult): string {
  // What vitest says of a test that it waited for in vain.
  if (why.startsWith('Error: STACK_TRACE_ERROR')) return `${fullName}: hung for ${TEST_LIMIT_MS} ms`
  return `${fullName}: ${why.split('\n', 1).join()}`
}
