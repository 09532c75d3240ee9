import { getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import type { Page } from '@scratchyjs/renderer'
import { seededRandom } from '@scratchyjs/tooling/random'
import { expect, it, onTestFinished } from 'vitest'
import { Client } from './client.js'
import { idle } from './leaks.js'
import { type CanaryProps, contextOf, serve } from './server.js'

const requests = Number(process.env.SOAK_CANARIES ?? 4000)
const seed = Number(process.env.STRESS_SEED ?? 1)
const slots = 8
const slotSize = 16_384
const taskTimeout = 2000
const marker = '#'

it(`${requests} requests, threads killed at random: no byte of one in the page of another`, {
  timeout: 3_600_000,
}, async ({ annotate }) => {
  const random = seededRandom(seed)
  const upTo = (n: number) => Math.floor(n * random())
  const { app, port } = await serve({
    maxThreads: 3,
    slots,
    slotSize,
    streamBuffer: 32_768,
    taskTimeout,
    cancelGrace: 10,
    resourceLimits: { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 4 },
  })
  onTestFinished(() => app.close())
  const { renderer } = app
  const client = new Client(port)
  onTestFinished(() => client.close())
  const lasting = new AbortController().signal
  const outcomes: Record<string, number> = {}
  const foreign: string[] = []
  const count = (outcome: string) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }

  /** Compares a page, or the beginning of one, with what it must be. */
  const check = (props: CanaryProps, { body, headers }: Pick<Page, 'body' | 'headers'>, isWhole = true) => {
    const expected = Buffer.from(props.token.repeat(props.times))
    const right = isWhole ? expected : expected.subarray(0, body.length)
    if (body.equals(right) && headers['x-token'] === encodeURIComponent(props.token)) return
    foreign.push(`${JSON.stringify(props)}: ${headers['x-token']} ${body.subarray(0, 200)}`)
  }

  /** A token of its own, in a page of any size: nothing, less than a slot, about a slot, more than one. */
  const canary = (index: number): CanaryProps => {
    const token = `<${index}:${upTo(2 ** 32).toString(36)}${random() < 0.2 ? 'ü' : ''}>`
    const most = [0, 3, 200, 1200, 3000][upTo(5)] as number
    const times = upTo(most + 1)
    const ballast = random() < 0.02 ? slotSize : 0
    if (random() < 0.6) return { token, times, isBytes: random() < 0.3, ballast }
    const parts = 1 + upTo(6)
    return { token, times: times - (times % parts), parts, ballast }
  }

  const failed = (props: CanaryProps) => (error: { code?: unknown; name: string }) => {
    const outcome = error.name === 'AbortError' ? 'left' : String(error.code)
    // A render's time includes the start of a thread, where one was lost: on a busy machine that may be too long.
    const isLate = !props.fault && outcome === 'RENDER_TIMEOUT'
    count(isLate ? 'late' : outcome)
    if (!props.fault && outcome !== 'left' && !isLate) {
      foreign.push(`${error} for ${JSON.stringify(props)}`)
    }
    return undefined
  }
  const whole = async (props: CanaryProps, signal: AbortSignal) => {
    const page = await renderer.render(contextOf(props), { signal }).catch(failed(props))
    if (!page) return
    check(props, page)
    // What is held is not written to.
    for (let turns = upTo(4); turns > 0; turns--) await turn()
    check(props, page)
    page.release()
    count('page')
  }
  const inParts = async (props: CanaryProps, signal: AbortSignal) => {
    const page = await renderer.renderStream(contextOf(props), { signal }).catch(failed(props))
    if (!page) return
    const leavesAt = random() < 0.1 ? upTo(20_000) : Number.POSITIVE_INFINITY
    const chunks: Buffer[] = []
    let length = 0
    let isWhole = false
    try {
      for await (const chunk of page.stream) {
        length += chunks.push(chunk) && chunk.length
        if (random() < 0.1) await turn()
        if (length > leavesAt) break
      }
      isWhole = length <= leavesAt
    } catch (error) {
      failed(props)(error as Error)
    }
    check(props, { body: Buffer.concat(chunks), headers: page.headers }, isWhole)
    count(isWhole ? 'stream' : 'part of a stream')
  }
  const overHttp = async (props: CanaryProps) => {
    const answer = await client.ask({ path: random() < 0.5 ? 'page' : 'stream', props })
    const isLate = answer && answer.ms > taskTimeout && (answer.isBroken || answer.status === 504)
    if (isLate) return count('late')
    if (answer?.status !== 200) foreign.push(`${answer?.status} for ${JSON.stringify(props)}`)
    else check(props, answer as Pick<Page, 'body' | 'headers'>)
    count('HTTP')
  }

  const one = async (index: number) => {
    const props = canary(index)
    const pick = random()
    if (pick < 0.05) return overHttp(props)
    let signal = lasting
    if (pick < 0.06) {
      // Doesn't hear that nobody wants it: its thread is killed while it spins, or writes, or has just ended.
      const left = new AbortController()
      signal = left.signal
      setTimeout(() => left.abort(), upTo(5))
      Object.assign(props, { fault: 'spin', ms: 10 + upTo(15) })
    } else if (pick < 0.07) {
      const left = new AbortController()
      signal = left.signal
      setTimeout(() => left.abort(), upTo(3))
    } else if (pick < 0.072) Object.assign(props, { fault: ['exit', 'stray'][upTo(2)] })
    else if (pick < 0.0724) Object.assign(props, { fault: 'loop' })
    await (random() < 0.6 ? whole(props, signal) : inParts(props, signal))
  }

  /** Every byte of every slot a marker; then one page, and no byte outside of its own slot has changed. */
  const markAll = async (index: number) => {
    await idle(renderer)
    const full = { route: 'canary', props: { token: marker, times: slotSize } }
    const pages = await Promise.all(Array.from({ length: slots }, () => renderer.render(full)))
    const held = pages.map(({ body }) => body)
    for (const page of pages) page.release()
    const props = { token: `<${index}>`, times: upTo(slotSize / 10) }
    const page = await renderer.render(contextOf(props))
    check(props, page)
    const own = page.body.byteOffset
    const strangers = held.filter(slot => slot.byteOffset !== own && !slot.every(byte => byte === 35))
    if (strangers.length > 0) foreign.push(`${strangers.length} slots written to by ${JSON.stringify(props)}`)
    page.release()
    count('marked')
  }

  const began = performance.now()
  const batch = Math.min(2000, requests / 4)
  for (let from = 0; from < requests; from += batch) {
    let next = from
    const loop = async () => {
      while (next < Math.min(from + batch, requests)) await one(next++)
    }
    await Promise.all(Array.from({ length: 10 }, loop))
    await markAll(from)
  }
  await idle(renderer)
  const seconds = (performance.now() - began) / 1000
  const { workers, slots: leased, streams, transport } = renderer.stats()
  await annotate(
    `seed ${seed}: ${requests} requests in ${seconds.toFixed(1)} s, ${workers.restarts} threads crashed or killed; foreign ${foreign.length}; ${JSON.stringify({ ...outcomes, ...transport })}`,
  )
  expect(foreign.slice(0, 5)).toEqual([])
  expect(outcomes.late ?? 0).toBeLessThan(requests / 100)
  expect(workers.restarts).toBeGreaterThan(requests / 1000)
  for (const outcome of ['page', 'stream', 'part of a stream', 'HTTP', 'left', 'WORKER_CRASHED'])
    expect(outcomes[outcome], outcome).toBeGreaterThan(0)
  expect(leased).toMatchObject({ inUse: 0, quarantined: 0 })
  expect(streams).toBe(0)
  expect(getEventListeners(lasting, 'abort')).toHaveLength(0)
})
