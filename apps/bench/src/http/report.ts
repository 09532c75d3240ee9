import { type Figure, figure, ratios } from '../figure.js'
import { type Picture, plot } from '../plot.js'
import type { Cost } from '../renderer/cost.js'
import { type Conditions, figureTable, machineName, table } from '../report.js'
import { median } from '../rounds.js'
import { formatMs, formatRate, threeDigits } from '../units.js'
import type { FirstBytes } from './first-byte.js'
import type { Served } from './matrix.js'
import type { Pings } from './ping.js'
import type { SlowClient } from './slow-client.js'

export interface Results extends Conditions {
  /** Of the last minute before it began: processes that wanted a core. */
  load: number
  requestCost: Cost[]
  pings: Pings[]
  firstBytes: FirstBytes[]
  slowClient: SlowClient
  served: Served[]
}

const SLOT_BYTES = 2 ** 20

/** All figures that the results are complete enough for. */
export function figures({ pings, firstBytes, slowClient }: Results): Figure[] {
  const ping = (name: string) =>
    pings.find(({ contender }) => contender === name)?.rounds.map(round => round.ping.p99) ?? []
  const first = (name: string) =>
    firstBytes.find(({ contender }) => contender === name)?.rounds.map(round => round.firstByte) ?? []
  const { heldBytes, alone, beside } = slowClient
  return [
    figure(
      'p99 of /api/ping, rendering in a worker / in the main thread',
      'at most',
      0.1,
      ratios(ping('shared'), ping('main thread')),
    ),
    figure(
      'first byte of 500 KB, streamed / whole',
      'at most',
      0.25,
      ratios(first('shared, streamed'), first('shared')),
    ),
    figure(
      'memory held for a client of 1 KB/s, slots of 1 MiB',
      'at most',
      2,
      heldBytes.map(bytes => bytes / SLOT_BYTES),
    ),
    figure("other clients' streams, beside it / without it", 'at most', 1.1, ratios(beside, alone)),
  ].filter(one => one !== undefined)
}

/** The figures, then every contender, as Markdown. */
export function markdown(results: Results, reached: Figure[]): string {
  const { requestCost, pings, firstBytes, served } = results
  return [
    figureTable(reached, results),
    'Main-thread time of a request for a page that is ready made, medians:',
    table(
      ['page', 'shared', 'strings', 'shared / strings'],
      requestCost.map(({ page, ms: { shared = [], strings = [] } }) => [
        page,
        formatMs(median(shared)),
        formatMs(median(strings)),
        `**${threeDigits(median(ratios(shared, strings)))}**`,
      ]),
    ),
    '`/api/ping` while documents are rendered, medians:',
    table(
      ['rendered by', 'p50', 'p99', 'documents/s'],
      pings.map(({ contender, rounds }) => [
        contender,
        ...(['p50', 'p99'] as const).map(key => formatMs(median(rounds.map(({ ping }) => ping[key])))),
        median(rounds.map(({ documents }) => documents)).toFixed(0),
      ]),
    ),
    'A page of 500 KB that is rendered in parts, medians:',
    table(
      ['', 'first byte', 'whole page'],
      firstBytes.map(({ contender, rounds }) => [
        contender,
        formatMs(median(rounds.map(({ firstByte }) => firstByte))),
        formatMs(median(rounds.map(({ p50 }) => p50))),
      ]),
    ),
    'Pages rendered anew, 8 connections, medians: pages per second · p50 · p99 in ms · main-thread ms a page',
    servedTable(served),
  ].join('\n\n')
}

function servedTable(served: Served[]): string {
  const names = [...new Set(served.map(({ contender }) => contender))]
  const kinds = served.filter(({ contender }) => contender === names[0])
  return table(
    ['threads', 'page', ...names],
    kinds.map(({ threads, bytes, ascii }) => [
      `${threads}`,
      `${bytes / 1024} KB ${ascii ? 'ASCII' : 'non-ASCII'}`,
      ...names.map(name => {
        const one = served.find(
          found =>
            found.contender === name &&
            found.threads === threads &&
            found.bytes === bytes &&
            found.ascii === ascii,
        )
        const of = (key: 'p50' | 'p99' | 'mainMsPerPage') =>
          threeDigits(median(one?.rounds.map(round => round[key]) ?? []))
        const rate = median(one?.rounds.map(({ perSecond }) => perSecond) ?? [])
        return `${rate.toFixed(0)} · ${of('p50')} · ${of('p99')} · ${of('mainMsPerPage')}`
      }),
    ]),
  )
}

const styles: Picture['styles'] = {
  shared: { colour: '#0b5fff' },
  'shared, streamed': { colour: '#0a7d34' },
  strings: { colour: '#b3261e', dash: '7 4' },
  'fastify-piscina': { colour: '#e07a00', dash: '7 4' },
  MessagePort: { colour: '#555555', dash: '7 4' },
  'main thread': { colour: '#000000', dash: '2 4' },
}

/** Pages per second, p99 and main-thread time by size of the page, for each number of threads: an SVG picture. */
export function picture({ machine, rounds, served }: Results): string {
  const lines = (threads: number, ascii: boolean, key: keyof Served['rounds'][number]) =>
    [...new Set(served.map(({ contender }) => contender))].map(name => ({
      name,
      points: served
        .filter(one => one.contender === name && one.threads === threads && one.ascii === ascii)
        .map(({ bytes, rounds }) => ({ x: bytes, y: median(rounds.map(round => round[key])) })),
    }))
  const perSecond = (value: number) => `${formatRate(value)}/s`
  return plot({
    title: 'Pages through Fastify to another process, by size of the page',
    caption: `${machineName(machine)}; 8 connections; medians of ${rounds} interleaved rounds`,
    axis: 'size of the page',
    panels: [1, 2].flatMap(threads =>
      [true, false].flatMap(ascii => {
        const kind = `${threads} thread${threads > 1 ? 's' : ''}, ${ascii ? 'ASCII' : 'non-ASCII'}`
        return [
          {
            title: `Pages per second, ${kind}`,
            lines: lines(threads, ascii, 'perSecond'),
            format: perSecond,
          },
          { title: `p99, ${kind}`, lines: lines(threads, ascii, 'p99'), format: formatMs },
          {
            title: `Main-thread time per page, ${kind}`,
            lines: lines(threads, ascii, 'mainMsPerPage'),
            format: formatMs,
          },
        ]
      }),
    ),
    styles,
    columns: 3,
    width: 1500,
    height: 240,
  })
}
