// How fast messages get from one thread to another: our rings against others and against postMessage.
//
//   node dist/ring.js                     everything, about five minutes; writes results/ and the README's tables
//   node dist/ring.js --quick             the same with less time for each measurement; writes nothing, like all below
//   node dist/ring.js --quick --only messages,reference --sizes 64,256
//                                         contenders whose names begin so, at these sizes (powers of two, in bytes)
//   --capacity 65536                      rings of so many bytes, a power of two, instead of 4 MiB
//   --parts throughput,round-trips,counts some of the parts; with --only, --sizes or --capacity the throughput alone
//   --rounds 7                            instead of 25
import { machineName, printFigures, thisMachine, writeResults } from './report.js'
import { disturbed } from './ring/calibrated.js'
import { countNotifies, measureHeap } from './ring/counts.js'
import { figures, type Results } from './ring/figures.js'
import { markdown } from './ring/markdown.js'
import { parseOptions } from './ring/options.js'
import { plotThroughput } from './ring/plot.js'
import { measureRoundTrips } from './ring/round-trips.js'
import { measureThroughput } from './ring/throughput.js'

const options = parseOptions(process.argv.slice(2))
const { parts, rounds } = options
const sender = new URL('./ring-sender.js', import.meta.url)
const receiver = new URL('./ring-receiver.js', import.meta.url)
const echo = new URL('./ring-echo.js', import.meta.url)
const heap = new URL('./ring-heap.js', import.meta.url)

const machine = thisMachine()
const heading = `${machineName(machine)}; medians of ${rounds} interleaved rounds`
console.log(heading)

const results: Results = { throughput: [], roundTrips: [], notifies: [], heap: [] }
if (parts.has('throughput')) {
  console.log('\nThroughput: median, smallest and largest')
  results.throughput = await measureThroughput(sender, options)
}
if (parts.has('round-trips')) {
  console.log('\nRound trips')
  results.roundTrips = await measureRoundTrips(echo, options)
}
if (parts.has('counts')) {
  console.log('\nCounts')
  results.notifies = await countNotifies(receiver)
  results.heap = await measureHeap(heap)
}

const reached = figures(results)
printFigures(reached)
if (disturbed > 0)
  console.log(`\n${disturbed} measurements were disturbed by other processes, and kept all the same`)
if (options.complete) {
  const conditions = { machine, rounds, disturbed }
  await writeResults('ring', {
    results: { ...conditions, figures: reached, ...results },
    picture: plotThroughput(results.throughput, heading),
    tables: markdown(results, reached, conditions),
  })
}
