import { type Figure, figure, ratios } from '../figure.js'
import { figureTable, type Machine, table } from '../report.js'
import { median } from '../rounds.js'
import { threeDigits } from '../units.js'
import type { Latency } from './propagation.js'

export interface Results {
  machine: Machine
  rounds: number
  /** Of the last minute before it began: processes that wanted a core. */
  load: number
  /** Contenders that this version of Node can't run, and why. */
  leftOut: string[]
  /** Microseconds, by contender, of each round. */
  propagation: Record<string, Latency[]>
  /** Publications per second of each round. */
  throughput: { contender: string; outstanding: number; published: number[]; handled: number[] }[]
  inStepAgainMs: number[]
  halfOpenNoticedMs: number[]
  heapGrowthBytes: number[]
}

const [own, plain] = ['ours', 'raw PUBLISH']

/** All figures that the results are complete enough for. */
export function figures(results: Results): Figure[] {
  const { propagation, throughput, inStepAgainMs, halfOpenNoticedMs, heapGrowthBytes } = results
  const times = (name: string, key: keyof Latency) => (propagation[name] ?? []).map(one => one[key])
  const latency = (key: keyof Latency, target: number) =>
    figure(
      `propagation, ours / raw PUBLISH, ${key}`,
      'at most',
      target,
      ratios(times(own, key), times(plain, key)),
    )
  const rates = (name: string, outstanding: number) =>
    throughput.find(one => one.contender === name && one.outstanding === outstanding)?.published ?? []
  const rate = (outstanding: number) =>
    figure(
      `publications per second, ours / raw PUBLISH, ${outstanding.toLocaleString('en')} outstanding`,
      'at least',
      0.8,
      ratios(rates(own, outstanding), rates(plain, outstanding)),
    )
  return [
    latency('p50', 1.35),
    latency('p99', 1.5),
    rate(1000),
    rate(10_000),
    figure('in step again with 1,000 missed messages, ms', 'at most', 250, inStepAgainMs),
    figure('half-open connection noticed, ms', 'at most', 3000, halfOpenNoticedMs),
    figure('heap growth after 1,000,000 keys, bytes', 'at most', 1_000_000, heapGrowthBytes),
  ].filter(one => one !== undefined)
}

/** The figures, then every contender, as Markdown. */
export function markdown(results: Results, reached: Figure[]): string {
  const { machine, propagation, throughput, leftOut } = results
  const outstandings = [...new Set(throughput.map(({ outstanding }) => outstanding))]
  return [
    figureTable(reached, results),
    table(
      [
        '',
        'p50',
        'p99',
        ...outstandings.map(count => `publications/s, ${count.toLocaleString('en')} outstanding`),
      ],
      Object.entries(propagation).map(([contender, latencies]) => [
        contender,
        ...(['p50', 'p99'] as const).map(key => `${threeDigits(median(latencies.map(one => one[key])))} µs`),
        ...throughput
          .filter(one => one.contender === contender)
          .map(({ published }) => Math.round(median(published)).toLocaleString('en')),
      ]),
    ),
    ...(leftOut.length > 0 ? [`Not run on Node ${machine.node}: ${leftOut.join('; ')}.`] : []),
  ].join('\n\n')
}
