import { setTimeout as delay } from 'node:timers/promises'
import { percentile } from '../rounds.js'
import { microseconds } from './clock.js'
import type { Speaker } from './contenders.js'
import type { Listener } from './listener.js'

/** From the call that publishes to the handler in the other process, in microseconds. */
export interface Latency {
  p50: number
  p99: number
}

/** Between two messages, in milliseconds. */
const pace = 1
/** So many of one contender, then of the next: what the machine does meanwhile meets all alike. */
const turn = 100

/** Sends `count` keys of each contender, a multiple of 100, one at a time, each turn in another order. */
export async function propagationRound(
  speakers: Map<string, Speaker>,
  listener: Listener,
  count: number,
): Promise<Map<string, Latency>> {
  const sentAt = new Map([...speakers.keys()].map(name => [name, [] as number[]]))
  const sent: Promise<unknown>[] = []
  for (let first = 0; first < count; first += turn) {
    for (const [name, speaker] of shuffled([...speakers])) {
      for (let key = first; key < first + turn; key += 1) {
        sentAt.get(name)?.push(microseconds())
        sent.push(speaker.send(`${key}`))
        await delay(pace)
      }
    }
  }
  await Promise.all(sent)
  const latencies = new Map<string, Latency>()
  for (const [name, times] of sentAt) {
    const { arrivals } = await listener.collect(name, count)
    const taken = times.map((time, key) => (arrivals[key] as number) - time).sort((a, b) => a - b)
    latencies.set(name, { p50: percentile(taken, 0.5), p99: percentile(taken, 0.99) })
  }
  return latencies
}

function shuffled<T>(items: T[]): T[] {
  return items
    .map(item => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
