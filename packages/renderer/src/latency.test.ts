import { expect, it } from 'vitest'
import { Latency } from './latency.js'

it('knows the percentiles of the latest 1,024 durations', () => {
  const latency = new Latency()
  expect(latency.percentiles()).toEqual({ p50: 0, p99: 0 })
  latency.record(5)
  expect(latency.percentiles()).toEqual({ p50: 5, p99: 5 })
  for (let ms = 1; ms <= 100; ms++) latency.record(ms)
  for (let i = 0; i < 1024; i++) latency.record(1024 - i)
  expect(latency.percentiles()).toEqual({ p50: 512, p99: 1014 })
})
