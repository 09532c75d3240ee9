import { percentile } from './rounds.js'

/** What a number of pages took, in milliseconds. */
export interface Times {
  pages: number
  p50: number
  p99: number
  perSecond: number
}

/** Makes pages for `milliseconds`, `atOnce` at a time, each next one when one is there. */
export async function repeated(
  milliseconds: number,
  atOnce: number,
  one: () => Promise<unknown>,
): Promise<Times> {
  const times: number[] = []
  const startedAt = performance.now()
  const until = startedAt + milliseconds
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let now = performance.now(); now < until; ) {
        await one()
        const then = performance.now()
        times.push(then - now)
        now = then
      }
    }),
  )
  const perSecond = (times.length / (performance.now() - startedAt)) * 1000
  return { ...percentiles(times), perSecond }
}

/** Sorts the times. */
export function percentiles(times: number[]): { pages: number; p50: number; p99: number } {
  times.sort((a, b) => a - b)
  return { pages: times.length, p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}
