import { median } from '../rounds.js'
import type { Throughput } from './throughput.js'
import { formatBytes, formatRate } from './units.js'

const TITLE = 'From one thread to another: bytes per second by size of message'
const WIDTH = 1000
const HEIGHT = 600
const BOX = { left: 80, right: 760, top: 56, bottom: 540 }

/** Ours in strong colours and whole lines, others dashed, the floor dotted. */
const STYLES: Record<string, { colour: string; dash?: string }> = {
  messages: { colour: '#0b5fff' },
  'messages, drained': { colour: '#5b21b6' },
  'messages, blocking': { colour: '#38a3e8' },
  channel: { colour: '#0a7d34' },
  'channel, blocking': { colour: '#65b741' },
  'channel, text': { colour: '#8a8d0f' },
  'plain ring': { colour: '#0f8b8d' },
  slots: { colour: '#c026d3' },
  'reference ring': { colour: '#b3261e', dash: '7 4' },
  'ringbuf.js': { colour: '#e07a00', dash: '7 4' },
  'thread-stream': { colour: '#8d5524', dash: '7 4' },
  'postMessage clone': { colour: '#555555', dash: '7 4' },
  'postMessage transfer': { colour: '#999999', dash: '7 4' },
  'copies alone': { colour: '#000000', dash: '2 4' },
}

/** Bytes per second against the size of a message, both logarithmic: an SVG picture. */
export function plot(throughput: Throughput[], caption: string): string {
  const sizes = [...new Set(throughput.map(({ size }) => size))].sort((a, b) => a - b)
  const lines = [...new Set(throughput.map(({ contender }) => contender))].map(contender => ({
    contender,
    points: throughput
      .filter(one => one.contender === contender)
      .map(one => ({ size: one.size, rate: median(one.messagesPerSecond) * one.size })),
  }))
  const rates = lines.flatMap(({ points }) => points.map(({ rate }) => rate))
  const decades = [
    Math.floor(Math.log10(Math.min(...rates))),
    Math.ceil(Math.log10(Math.max(...rates))),
  ] as const
  const x = scale(Math.log2(sizes[0] as number), Math.log2(sizes.at(-1) as number), BOX.left, BOX.right)
  const y = scale(decades[0], decades[1], BOX.bottom, BOX.top)
  const atSize = (size: number): number => x(Math.log2(size))
  const atRate = (rate: number): number => y(Math.log10(rate))

  const grid = [
    ...sizes.map(size => [
      line(atSize(size), BOX.top, atSize(size), BOX.bottom),
      text(atSize(size), BOX.bottom + 20, formatBytes(size), 'middle'),
    ]),
    ...Array.from({ length: decades[1] - decades[0] + 1 }, (_, i) => 10 ** (decades[0] + i)).map(rate => [
      line(BOX.left, atRate(rate), BOX.right, atRate(rate)),
      text(
        BOX.left - 8,
        atRate(rate) + 4,
        `${formatRate(rate).replace('.00', '').replace('.0', '')}B/s`,
        'end',
      ),
    ]),
  ].flat()
  // The legend is in the order of the lines' right ends, so that a line is found where it is looked for.
  const legend = [...lines]
    .sort((a, b) => (b.points.at(-1)?.rate ?? 0) - (a.points.at(-1)?.rate ?? 0))
    .flatMap(({ contender }, i) => {
      const at = BOX.top + 14 + i * 26
      return [stroke(contender, `M${BOX.right + 24} ${at}h36`), text(BOX.right + 70, at + 4, contender)]
    })
  const curves = lines.flatMap(({ contender, points }) => [
    stroke(
      contender,
      `M${points.map(({ size, rate }) => `${round(atSize(size))} ${round(atRate(rate))}`).join('L')}`,
    ),
    ...points.map(
      ({ size, rate }) =>
        `<circle cx="${round(atSize(size))}" cy="${round(atRate(rate))}" r="3" fill="${STYLES[contender]?.colour}"/>`,
    ),
  ])
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" fill="#222">`,
    `<title>${TITLE}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${BOX.left}" y="24" font-size="17" font-weight="600">${TITLE}</text>`,
    text(BOX.left, 44, caption),
    ...grid,
    ...curves,
    ...legend,
    text((BOX.left + BOX.right) / 2, BOX.bottom + 46, 'size of a message', 'middle'),
    '</svg>',
    '',
  ].join('\n')
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return value => start + ((value - from) / (to - from || 1)) * (end - start)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}" stroke="#e2e2e2"/>`
}

function stroke(contender: string, path: string): string {
  const { colour, dash } = STYLES[contender] ?? { colour: '#222' }
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2.2"${dash ? ` stroke-dasharray="${dash}"` : ''}/>`
}

function text(x: number, y: number, content: string, anchor = 'start'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped}</text>`
}
