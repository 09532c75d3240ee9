import { type Figure, figure, ratios } from '../figure.js'
import { type Picture, plot } from '../plot.js'
import { type Conditions, figureTable, machineName, table } from '../report.js'
import { median } from '../rounds.js'
import { formatBytes, formatMs, formatRate } from '../units.js'
import type { Cost } from './cost.js'
import type { Streaming } from './streaming.js'
import type { TransportTimes } from './transports.js'

export interface Results extends Conditions {
  /** Of the last minute before it began: processes that wanted a core. */
  load: number
  /** The part of a core that other processes took while all that was measured ran in one process. */
  others: number
  cost: Cost[]
  streaming: Streaming[]
  transports: TransportTimes[]
}

/** Against the page as a string in the task's result. */
const costTargets: [page: string, target: number][] = [
  ['2 KB', 1.2],
  ['100 KB ASCII', 0.8],
  ['100 KB non-ASCII', 0.3],
  ['1 MB non-ASCII', 0.1],
]

/** All figures that the results are complete enough for. */
export function figures({ cost, streaming }: Results): Figure[] {
  const ms = (page: string, contender: string) => cost.find(one => one.page === page)?.ms[contender] ?? []
  const rate = (chunks: string, contender: string) =>
    streaming.find(one => one.chunks === chunks && one.contender === contender)?.bytesPerSecond ?? []
  return [
    ...costTargets.map(([page, target]) =>
      figure(
        `main-thread time per page, shared / strings, ${page}`,
        'at most',
        target,
        ratios(ms(page, 'shared'), ms(page, 'strings')),
      ),
    ),
    ...['ASCII', 'non-ASCII'].map(kind =>
      figure(
        `growth of that time, shared, 1 MB ${kind} / 2 KB`,
        'at most',
        2,
        ratios(ms(`1 MB ${kind}`, 'shared'), ms('2 KB', 'shared')),
      ),
    ),
    ...['bytes', 'text'].map(chunks =>
      figure(
        `streaming throughput, 4 KiB of ${chunks} a chunk, ours / MessagePort`,
        'at least',
        1.5,
        ratios(rate(chunks, 'renderStream'), rate(chunks, 'MessagePort')),
      ),
    ),
  ].filter(one => one !== undefined)
}

/** The figures, then every contender, as Markdown. */
export function markdown(results: Results, reached: Figure[]): string {
  const { others, cost, streaming, transports } = results
  const contenders = Object.keys(cost[0]?.ms ?? {})
  const elsewhere = transports.reduce((sum, one) => sum + one.elsewhere, 0)
  return [
    figureTable(
      reached,
      results,
      `other processes took ${Math.max(0, Math.round(others * 100))} % of a core`,
    ),
    'Main-thread time per page, to its bytes, medians:',
    table(
      ['page', ...contenders],
      cost.map(({ page, ms }) => [page, ...contenders.map(name => formatMs(median(ms[name] as number[])))]),
    ),
    'A stream from a worker to the main thread, medians:',
    table(
      ['chunks of 4 KiB', '', 'throughput', 'main-thread time of a MB'],
      streaming.map(({ chunks, contender, bytesPerSecond, msPerMB }) => [
        chunks,
        contender,
        `${formatRate(median(bytesPerSecond))}B/s`,
        formatMs(median(msPerMB)),
      ]),
    ),
    'Pages of 10 KB by the way of their contexts, medians:',
    table(
      ['context', 'transport', 'p50', 'p99', 'pages/s, 16 at once'],
      transports.map(({ contextBytes, transport, alone, together }) => [
        formatBytes(contextBytes),
        transport,
        ...(['p50', 'p99'] as const).map(key => formatMs(median(alone.map(one => one[key])))),
        Math.round(median(together.map(one => one.perSecond))).toLocaleString('en'),
      ]),
    ),
    ...(elsewhere > 0
      ? [`${elsewhere} contexts did not go through Redis, which was too slow for them.`]
      : []),
  ].join('\n\n')
}

const styles: Picture['styles'] = {
  shared: { colour: '#0b5fff' },
  payload: { colour: '#0a7d34' },
  strings: { colour: '#b3261e', dash: '7 4' },
  'redis, local': { colour: '#e07a00' },
  'redis, + 1.5 ms': { colour: '#8d5524' },
}

/** Main-thread time by size of the page, latency and throughput by size of the context: an SVG picture. */
export function picture({ machine, rounds, cost, transports }: Results): string {
  const names = Object.keys(cost[0]?.ms ?? {})
  const costLines = (isKind: (one: Cost) => boolean) =>
    names.map(name => ({
      name,
      points: cost.filter(isKind).map(({ bytes, ms }) => ({ x: bytes, y: median(ms[name] as number[]) })),
    }))
  const transportLines = (value: (one: TransportTimes) => number) =>
    [...new Set(transports.map(({ transport }) => transport))].map(name => ({
      name,
      points: transports
        .filter(({ transport }) => transport === name)
        .map(one => ({ x: one.contextBytes, y: value(one) })),
    }))
  const isSmall = ({ page }: Cost) => page === '2 KB'
  return plot({
    title: 'Rendering in a worker: what it costs the main thread, and how contexts get there',
    caption: `${machineName(machine)}; medians of ${rounds} interleaved rounds`,
    axis: 'size of the page, or of the context',
    panels: [
      {
        title: 'Main-thread time per page, ASCII',
        lines: costLines(one => one.ascii),
        format: formatMs,
      },
      {
        title: 'Main-thread time per page, non-ASCII from 100 KB',
        lines: costLines(one => isSmall(one) || !one.ascii),
        format: formatMs,
      },
      {
        title: 'Latency (p50) by size of context',
        lines: transportLines(({ alone }) => median(alone.map(one => one.p50))),
        format: formatMs,
      },
      {
        title: 'Pages per second, 16 at once, by size of context',
        lines: transportLines(({ together }) => median(together.map(one => one.perSecond))),
        format: value => `${formatRate(value)}/s`,
      },
    ],
    styles,
    columns: 2,
    width: 1200,
    height: 260,
  })
}
