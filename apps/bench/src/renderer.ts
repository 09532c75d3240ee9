// What it costs to have a page made by a worker, without HTTP: main-thread time by size of the page, streams, and the ways
// of the context, against the same pool with strings and messages.
//
//   node --expose-gc dist/renderer.js            everything, about three minutes; writes results/ and the README's tables
//   node --expose-gc dist/renderer.js --quick    the same with less of each; writes nothing, like all below
//   --parts cost,streaming,transports
//   --rounds 5                                   instead of 11
//   --write                                      writes all the same
import { loadavg } from 'node:os'
import { otherLoad } from './other-load.js'
import { measureCost } from './renderer/cost.js'
import { figures, markdown, picture, type Results } from './renderer/report.js'
import { measureStreaming } from './renderer/streaming.js'
import { measureTransports } from './renderer/transports.js'
import { machineName, printFigures, thisMachine, writeResults } from './report.js'
import { parseRunOptions } from './run-options.js'

const options = parseRunOptions(['cost', 'streaming', 'transports'], { full: 11, quick: 3 })
const { rounds, parts, writes } = options
const file = (name: string) => new URL(`./${name}.js`, import.meta.url)
const files = {
  worker: file('render-worker'),
  rival: file('rival-worker'),
  slowRedis: file('slow-redis'),
}

const results: Results = {
  machine: thisMachine(),
  rounds,
  load: loadavg()[0] as number,
  quick: !options.isComplete,
  others: 0,
  cost: [],
  streaming: [],
  transports: [],
}
console.log(`${machineName(results.machine)}; load ${results.load.toFixed(1)}`)
const others = otherLoad()
const startedAt = performance.now()
if (parts.has('cost')) {
  console.log('\nMain-thread time per page, to its bytes: medians')
  results.cost = await measureCost(files, options)
}
if (parts.has('streaming')) {
  console.log('\nStreams: medians')
  results.streaming = await measureStreaming(files, options)
}
results.others = others() / (performance.now() - startedAt)
if (parts.has('transports')) {
  console.log('\nTransports of contexts: medians')
  results.transports = await measureTransports(files, options)
}

const reached = figures(results)
printFigures(reached)
if (writes) {
  await writeResults('renderer', {
    results: { ...results, figures: reached },
    picture: picture(results),
    tables: markdown(results, reached),
  })
}
