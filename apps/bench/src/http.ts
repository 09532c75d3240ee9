// Pages through Fastify to a client in another process: ways to render against each other, how long a ping takes
// meanwhile, when the first byte comes, and what a slow client holds.
//
//   node --expose-gc dist/http.js            everything, about six minutes; writes results/ and the README's tables
//   node --expose-gc dist/http.js --quick    the same with less of each; writes nothing, like all below
//   --parts cost,ping,first-byte,slow-client,matrix
//   --rounds 3                               instead of 5
//   --write                                  writes all the same
import { loadavg } from 'node:os'
import { measureFirstBytes } from './http/first-byte.js'
import { LoadProcess } from './http/load-process.js'
import { measureMatrix } from './http/matrix.js'
import { measurePings } from './http/ping.js'
import { figures, markdown, picture, type Results } from './http/report.js'
import { measureRequestCost } from './http/request-cost.js'
import { measureSlowClient } from './http/slow-client.js'
import { machineName, printFigures, thisMachine, writeResults } from './report.js'
import { parseRunOptions } from './run-options.js'

const parts = ['cost', 'ping', 'first-byte', 'slow-client', 'matrix'] as const
const options = parseRunOptions(parts, { full: 5, quick: 2 })
const file = (name: string) => new URL(`./${name}.js`, import.meta.url)
const files = { worker: file('render-worker'), rival: file('rival-worker') }

const results: Results = {
  machine: thisMachine(),
  rounds: options.rounds,
  load: loadavg()[0] as number,
  quick: !options.isComplete,
  requestCost: [],
  pings: [],
  firstBytes: [],
  slowClient: { heldBytes: [], alone: [], beside: [] },
  served: [],
}
const measurements: Record<(typeof parts)[number], [title: string, () => Promise<unknown>]> = {
  cost: [
    'Main-thread time of a request: medians',
    async () => (results.requestCost = await measureRequestCost(files, client, options)),
  ],
  ping: [
    'Pings while documents are rendered: medians',
    async () => (results.pings = await measurePings(files, client, other, options)),
  ],
  'first-byte': [
    'A page of 500 KB in parts: medians',
    async () => (results.firstBytes = await measureFirstBytes(files, client, options)),
  ],
  'slow-client': [
    'A client of 1 KB/s: medians',
    async () => (results.slowClient = await measureSlowClient(files, other, client, options)),
  ],
  matrix: [
    'Pages rendered anew: medians',
    async () => (results.served = await measureMatrix(files, client, options)),
  ],
}

console.log(`${machineName(results.machine)}; load ${results.load.toFixed(1)}`)
const client = new LoadProcess(file('load'))
const other = new LoadProcess(file('load'))
try {
  for (const part of options.parts) {
    const [title, measure] = measurements[part]
    console.log(`\n${title}`)
    await measure()
  }
} finally {
  client.end()
  other.end()
}

const reached = figures(results)
printFigures(reached)
if (options.writes) {
  await writeResults('http', {
    results: { ...results, figures: reached },
    picture: picture(results),
    tables: markdown(results, reached),
  })
}
