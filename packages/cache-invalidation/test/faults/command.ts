import { execFile } from 'node:child_process'
import { constants } from 'node:os'
import { parseArgs, promisify } from 'node:util'
import type { System } from './cache-node.js'
import { classesNamed } from './classes.js'
import { measureDefaults } from './defaults.js'
import type { FaultClass } from './fault-class.js'
import { serveNode } from './process-node.js'
import {
  type Conditions,
  defaultsList,
  headline,
  isClean,
  lossTable,
  progressLine,
  resultTable,
  type SystemResults,
  writeResults,
} from './results.js'
import { type ClassResult, faultsOf, runClass } from './run-class.js'

const usage = `Options, each also as an environment variable:
  --class   FAULTS_CLASS   only the classes whose names contain this
  --count   FAULTS_COUNT   faults of each class, default 1000
  --seed    FAULTS_SEED    the first fault's seed; each fault has the next one's
  --system  FAULTS_SYSTEM  what is tested; several, separated by commas, are compared
  --worlds  FAULTS_WORLDS  how many run side by side, default 8
  --settle  FAULTS_SETTLE  milliseconds after a fault until all must be whole, default 5000
  --results FAULTS_RESULTS a Markdown file with markers for the table; a run of some classes, or of less than
                           1000 faults of each, writes nothing`

const names = ['class', 'count', 'seed', 'system', 'worlds', 'settle', 'results'] as const

function readOptions(): Partial<Record<(typeof names)[number], string>> {
  const { values } = parseArgs({
    options: Object.fromEntries(
      [...names, 'help'].map(name => [name, { type: name === 'help' ? 'boolean' : 'string' }]),
    ),
  })
  if (values.help) {
    console.log(usage)
    process.exit()
  }
  return Object.fromEntries(
    names
      .map(name => [name, values[name] ?? process.env[`FAULTS_${name.toUpperCase()}`]])
      .filter(([, value]) => value !== undefined),
  )
}

/**
 * Runs the faults that the command line or the environment names, prints a table, and fails when anything
 * was lost. In a process that was started as a node it is that node.
 *
 * @param systems what can be tested, the first one by default
 * @param entry the script that calls this
 */
export async function faultsCommand(systems: readonly System[], entry: string): Promise<void> {
  if (process.env.FAULTS_NODE !== undefined) {
    serveNode(systems)
    return
  }
  const options = readOptions()
  // Each server and each process of a node ends with this one, which signals don't do by themselves.
  process.setMaxListeners(0)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]))
  const conditions: Conditions = {
    count: whole('count', options.count, 1000),
    seed: whole('seed', options.seed, Date.now() % 1_000_000_000),
    settleMs: whole('settle', options.settle, 5000),
    worlds: whole('worlds', options.worlds, 8),
    redis: await redisVersion(),
  }
  const kinds = classesNamed(options.class)
  const tested = systemsNamed(systems, options.system)
  const runs: SystemResults[] = []
  for (const system of tested) runs.push(await testSystem(system, kinds, conditions, entry))
  const [only] = runs
  const report = [
    headline(conditions),
    only && runs.length === 1 ? resultTable(only, conditions) : lossTable(runs),
  ]
  const isWhole = options.class === undefined && (runs.length > 1 || conditions.count >= 1000)
  if (isWhole && tested.length === 1 && tested[0] === systems[0])
    report.push(defaultsList(await measureDefaults(20)))
  console.log(`\n${report.join('\n')}`)
  if (options.results && isWhole)
    await writeResults(options.results, runs.length === 1 ? 'one' : 'several', report.join('\n'))
  if (!runs.every(({ results }) => results.every(isClean))) process.exitCode = 1
}

function whole(name: string, text: string | undefined, byDefault: number): number {
  const value = text === undefined ? byDefault : Number(text)
  if (Number.isInteger(value) && value >= 1) return value
  throw new RangeError(`${name} must be an integer from 1 on, not ${text}`)
}

function systemsNamed(systems: readonly System[], names = systems[0]?.name ?? ''): System[] {
  return names.split(',').map(wanted => {
    const system = systems.find(({ name }) => name === wanted)
    if (system) return system
    throw new RangeError(
      `No system is called "${wanted}": there are ${systems.map(({ name }) => name).join(', ')}`,
    )
  })
}

async function testSystem(
  system: System,
  kinds: readonly FaultClass[],
  { count, seed, worlds, settleMs }: Conditions,
  entry: string,
): Promise<SystemResults> {
  console.log(`${system.name}: ${count} faults of each class, FAULTS_SEED=${seed}`)
  const results: ClassResult[] = []
  for (const kind of kinds) {
    if (kind.hasSeveralAddresses && system.needsOnePort) continue
    const total = faultsOf(kind, count)
    const onProgress = progress(total)
    const result = await runClass(system, kind, { count, seed, worlds, settleMs, entry, onProgress })
    results.push(result)
    console.log(`${process.stdout.isTTY ? '\r' : ''}${progressLine(result, total)}`)
    for (const failure of result.failures) console.log(`  FAULTS_CLASS="${kind.name}" ${failure}`)
  }
  return { system: system.name, results }
}

/** Shows how far a class is: in place on a terminal, else every ten seconds. */
function progress(total: number): (result: ClassResult) => void {
  let shown = performance.now()
  return result => {
    const now = performance.now()
    if (now - shown < (process.stdout.isTTY ? 200 : 10_000)) return
    shown = now
    const line = progressLine(result, total)
    process.stdout.write(process.stdout.isTTY ? `\r${line}` : `${line}\n`)
  }
}

async function redisVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.env.REDIS_SERVER || 'redis-server', ['--version'])
  const [, name = 'Redis', version = '?'] = /^(\w+) server v=(\S+)/i.exec(stdout) ?? []
  return `${name} ${version}`
}
