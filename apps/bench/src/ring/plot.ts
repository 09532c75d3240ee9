import { plot, type Style } from '../plot.js'
import { median } from '../rounds.js'
import { formatRate } from '../units.js'
import type { Throughput } from './throughput.js'

/** Ours in strong colours and whole lines, others dashed, the floor dotted. */
const STYLES: Record<string, Style> = {
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

/** Bytes per second against the size of a message: an SVG picture. */
export function plotThroughput(throughput: Throughput[], caption: string): string {
  const title = 'From one thread to another: bytes per second by size of message'
  const lines = [...new Set(throughput.map(({ contender }) => contender))].map(name => ({
    name,
    points: throughput
      .filter(({ contender }) => contender === name)
      .map(({ size, messagesPerSecond }) => ({ x: size, y: median(messagesPerSecond) * size })),
  }))
  return plot({
    title,
    caption,
    axis: 'size of a message',
    panels: [{ title, lines, format: rate => `${formatRate(rate)}B/s` }],
    styles: STYLES,
    columns: 1,
    width: 1000,
    height: 484,
  })
}
