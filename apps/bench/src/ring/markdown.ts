import type { Figure } from '../figure.js'
import { type Conditions, figureTable, table } from '../report.js'
import { median } from '../rounds.js'
import { formatBytes, formatRate, threeDigits } from '../units.js'
import type { Results } from './figures.js'

interface RingConditions extends Conditions {
  /** Measurements that other processes disturbed, each time they were repeated. */
  disturbed: number
}

/** The figures, then throughput and round trips, as Markdown. */
export function markdown(
  { throughput, roundTrips }: Results,
  figures: Figure[],
  conditions: RingConditions,
): string {
  const sizes = [...new Set(throughput.map(({ size }) => size))]
  const contenders = [...new Set(throughput.map(({ contender }) => contender))]
  const { disturbed } = conditions
  const remarks = disturbed > 0 ? [`other processes disturbed ${disturbed} measurements`] : []
  return [
    figureTable(figures, conditions, ...remarks),
    'Bytes of payload per second, medians:',
    table(
      ['', ...sizes.map(formatBytes)],
      contenders.map(contender => [
        contender,
        ...sizes.map(size => {
          const one = throughput.find(found => found.contender === contender && found.size === size)
          return one ? `${formatRate(median(one.messagesPerSecond) * size)}B` : ''
        }),
      ]),
    ),
    'Round trips, medians of the rounds:',
    table(
      ['', 'p50', 'p99', 'mean'],
      roundTrips.map(({ contender, rounds }) => [
        contender,
        ...(['p50', 'p99', 'mean'] as const).map(
          key => `${threeDigits(median(rounds.map(round => round[key])))} µs`,
        ),
      ]),
    ),
  ].join('\n\n')
}
