import { execFile } from 'node:child_process'
import { constants } from 'node:os'
import { parseArgs, promisify } from 'node:util'
import type { System } from './cache-node.js'
import { classesNamed } from './classes.js'
import { measureDefaults } from './defaults.js'
import { serveNode } from './process-node.js'
import { defaultsList, isClean, progressLine, resultTable, writeResults } from './results.js'
import { type ClassResult, faultsOf, runClass } from './run-class.js'

const usage = `Options, each also as an environment variable:
  --class   FAULTS_CLASS   only the classes whose names contain this
  --count   FAULTS_COUNT   faults of each class, default 1000
  --seed    FAULTS_SEED    the first fault's seed; each fault has the next one's
  --system  FAULTS_SYSTEM  what is tested
  --worlds  FAULTS_WORLDS  how many run side by side, default 8
  --settle  FAULTS_SETTLE  milliseconds after a fault until all must be whole, default 5000
  --results FAULTS_RESULTS a Markdown file with markers for the table`

const names = ['class', 'count', 'seed', 'system', 'worlds', 'settle', 'results'] as const

function readOptions(): Partial<Record<(typeof names)[number], string>> {
  const { values } = parseArgs({
    options: Object.fromEntries([...names, 'help'].map(name => [name, { type: name === 'help' ? 'boolean' : 'string' }])),
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
  const system = systems.find(({ name }) => name === (options.system ?? systems[0]?.name))
  if (!system)
    throw new RangeError(
      `No system is called "${options.system}": there are ${systems.map(({ name }) => name).join(', ')}`,
    )
  const count = Number(options.count ?? 1000)
  const seed = Number(options.seed ?? Date.now() % 1_000_000_000)
  const settleMs = Number(options.settle ?? 5000)
  const worlds = Number(options.worlds ?? 8)
  console.log(`${system.name}: ${count} faults of each class, FAULTS_SEED=${seed}`)

  const results: ClassResult[] = []
  for (const kind of classesNamed(options.class)) {
    const total = faultsOf(kind, count)
    const show = progress(total)
    const result = await runClass(system, kind, { count, seed, worlds, settleMs, entry, onProgress: show })
    results.push(result)
    console.log(`${process.stdout.isTTY ? '\r' : ''}${progressLine(result, total)}`)
    for (const failure of result.failures) console.log(`  FAULTS_CLASS="${kind.name}" ${failure}`)
  }
  const conditions = { system: system.name, redis: await redisVersion(), seed, settleMs }
  const report = [resultTable(results, conditions)]
  // Of this package as it is, not of a part or of another system.
  if (system === systems[0] && options.class === undefined) report.push(defaultsList(await measureDefaults(20)))
  console.log(`\n${report.join('\n')}`)
  if (options.results) await writeResults(options.results, system.name, report.join('\n'))
  if (!results.every(isClean)) process.exitCode = 1
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
