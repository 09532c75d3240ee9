// How fast and how cheap it is to tell other processes which keys are stale: ours against a plain PUBLISH, against a
// script that only publishes, and against the buses of bentocache and cacheable. One real redis-server, and a second
// process that is told.
//
//   node dist/invalidation.js            everything, about four minutes; writes results/ and the README's tables
//   node dist/invalidation.js --quick    the same with less of each; writes nothing, like all below
//   --parts propagation,throughput,recovery,heap
//   --rounds 5                           instead of 9
import { execFile } from 'node:child_process'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startRedis } from '@scratchyjs/tooling/redis'
import { contenders, type Speaker } from './invalidation/contenders.js'
import { Listener } from './invalidation/listener.js'
import { propagationRound } from './invalidation/propagation.js'
import { halfOpenNoticed, inStepAgain } from './invalidation/recovery.js'
import { figures, markdown, type Results } from './invalidation/report.js'
import { throughputRun } from './invalidation/throughput.js'
import { machineName, printFigures, thisMachine, writeResults } from './report.js'
import { median } from './rounds.js'
import { parseRunOptions } from './run-options.js'

const { rounds, quick, parts, writes } = parseRunOptions(['propagation', 'throughput', 'recovery', 'heap'], {
  full: 9,
  quick: 5,
})
const file = (name: string) => new URL(`./${name}.js`, import.meta.url)

const server = await startRedis()
const listener = new Listener(file('invalidation-listener'), server.port)
const speakers = new Map<string, Speaker>()
const results: Results = {
  machine: thisMachine(),
  rounds,
  load: loadavg()[0] as number,
  leftOut: [],
  propagation: {},
  throughput: [],
  inStepAgainMs: [],
  halfOpenNoticedMs: [],
  heapGrowthBytes: [],
}

try {
  for (const [name, contender] of Object.entries(contenders)) {
    try {
      await listener.listen(name)
      speakers.set(name, await contender.speak(server.port))
    } catch (error) {
      results.leftOut.push(`${name}: ${error}`)
      console.log(`Left out on Node ${process.versions.node}: ${name}: ${error}`)
    }
  }
  console.log(`${machineName(results.machine)}; load ${results.load.toFixed(1)}`)
  if (parts.has('propagation')) await propagation()
  if (parts.has('throughput')) await throughput()
  if (parts.has('recovery')) await recovery()
  if (parts.has('heap')) await heap()
} finally {
  listener.end()
  await server.stop()
}

const reached = figures(results)
printFigures(reached)
if (writes) {
  await writeResults('invalidation', {
    results: { figures: reached, ...results },
    tables: markdown(results, reached),
  })
}
// The clients of all contenders are connected still.
process.exit()

async function propagation(): Promise<void> {
  console.log('\nPropagation')
  for (const name of speakers.keys()) results.propagation[name] = []
  for (let round = 0; round <= rounds; round += 1) {
    // The first one warms up.
    const latencies = await propagationRound(speakers, listener, quick ? 200 : 1000)
    if (round > 0) for (const [name, latency] of latencies) results.propagation[name]?.push(latency)
  }
  for (const [name, latencies] of Object.entries(results.propagation)) {
    const [p50, p99] = (['p50', 'p99'] as const).map(key => median(latencies.map(one => one[key])).toFixed(0))
    console.log(`${name.padEnd(18)}  p50 ${p50} µs, p99 ${p99} µs`)
  }
}

async function throughput(): Promise<void> {
  console.log('\nThroughput')
  for (const outstanding of [1000, 10_000]) {
    const count = quick ? 10_000 : 20_000
    const all = [...speakers]
    const rates = new Map(all.map(([name]) => [name, { published: [] as number[], handled: [] as number[] }]))
    for (let round = 0; round <= rounds; round += 1) {
      for (let i = 0; i < all.length; i += 1) {
        const [name, speaker] = all[(i + round) % all.length] as [string, Speaker]
        const rate = await throughputRun(name, speaker, listener, { count, outstanding })
        if (round === 0) continue
        rates.get(name)?.published.push(rate.published)
        rates.get(name)?.handled.push(rate.handled)
      }
    }
    for (const [contender, { published, handled }] of rates) {
      results.throughput.push({ contender, outstanding, published, handled })
      const [a, b] = [published, handled].map(values => Math.round(median(values)).toLocaleString('en'))
      console.log(`${contender.padEnd(18)}  ${outstanding} outstanding: ${a} published/s, ${b} handled/s`)
    }
  }
}

async function recovery(): Promise<void> {
  console.log('\nRecovery')
  for (let round = 0; round < rounds; round += 1) {
    results.inStepAgainMs.push(await inStepAgain(server.port))
    results.halfOpenNoticedMs.push(await halfOpenNoticed(server.port))
  }
  console.log(`in step again: ${results.inStepAgainMs.map(ms => ms.toFixed(0))} ms`)
  console.log(`half-open noticed: ${results.halfOpenNoticedMs.map(ms => ms.toFixed(0))} ms`)
}

async function heap(): Promise<void> {
  console.log('\nHeap')
  for (let run = 0; run < (quick ? 1 : 3); run += 1) {
    const args = ['--expose-gc', fileURLToPath(file('invalidation-heap')), `${server.port}`]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
    results.heapGrowthBytes.push(Number(stdout))
  }
  console.log(`growth after 1,000,000 keys: ${results.heapGrowthBytes} bytes`)
}
