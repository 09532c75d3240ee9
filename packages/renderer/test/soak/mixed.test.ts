import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '@scratchyjs/tooling/random'
import { expect, it, onTestFinished } from 'vitest'
import { type Answer, type Asking, Client } from './client.js'
import { fullCapacity, holdings, idle, memory } from './leaks.js'
import { serve } from './server.js'

const requests = Number(process.env.SOAK_REQUESTS ?? 300)
const seed = Number(process.env.STRESS_SEED ?? 1)
const threads = 3
const taskTimeout = 2000
const closeTimeout = 5000

const random = seededRandom(seed)
const upTo = (n: number) => Math.floor(n * random())
let count = 0
const canary = () => `<${seed}-${count++}-${upTo(2 ** 32).toString(36)}>`
const whole = () => ({ token: canary(), times: upTo(3000) })
const inParts = () => {
  const parts = 2 + upTo(20)
  return { token: canary(), times: parts * upTo(400), parts, ms: upTo(3) }
}
const fault = (kind: string) => ({ token: canary(), times: 10, fault: kind })
const brokenIn = (kind: string) => ({ ...inParts(), fault: kind })

/** How often each kind of request comes, of about a thousand, and what it asks. */
const kinds: Record<string, [number, () => Asking]> = {
  page: [150, () => ({ path: 'page', props: whole() })],
  bytes: [40, () => ({ path: 'page', props: { ...whole(), isBytes: true } })],
  collected: [40, () => ({ path: 'page', props: inParts() })],
  'page beyond a slot': [20, () => ({ path: 'page', props: { token: canary(), times: 20_000 } })],
  'context beyond a slot': [20, () => ({ path: 'page', props: { ...whole(), ballast: 100_000 } })],
  stream: [150, () => ({ path: 'stream', props: inParts() })],
  'stream of one part': [40, () => ({ path: 'stream', props: whole() })],
  'large stream': [20, () => ({ path: 'stream', props: { token: canary(), times: 40_000, parts: 10 } })],
  'head of a page': [30, () => ({ path: 'page', method: 'HEAD', props: whole() })],
  'head of a stream': [30, () => ({ path: 'stream', method: 'HEAD', props: inParts() })],
  cached: [100, () => ({ path: 'cached', props: { token: `<cached ${upTo(20)}>`, times: 100 } })],
  'page left': [60, () => ({ path: 'page', props: whole(), leavesAfter: upTo(15) })],
  'slow page left': [40, () => ({ path: 'page', props: fault('wait'), leavesAfter: upTo(30) })],
  'stream left': [60, () => ({ path: 'stream', props: inParts(), leavesAfter: upTo(30) })],
  'stream left midway': [40, () => ({ path: 'stream', props: inParts(), leavesAfterFirst: upTo(20) })],
  'deaf page left': [3, () => ({ path: 'page', props: { ...fault('spin'), ms: 400 }, leavesAfter: 20 })],
  'deaf stream left': [3, () => ({ path: 'stream', props: brokenIn('never'), leavesAfterFirst: 5 })],
  throw: [40, () => ({ path: 'page', props: fault('throw') })],
  'throw before a stream': [20, () => ({ path: 'stream', props: fault('throw') })],
  'throw midway': [20, () => ({ path: 'stream', props: brokenIn('throw') })],
  'throw in a part': [20, () => ({ path: 'page', props: brokenIn('throw') })],
  invalid: [20, () => ({ path: 'page', props: fault('invalid') })],
  'invalid part': [20, () => ({ path: 'stream', props: brokenIn('invalid') })],
  exit: [4, () => ({ path: 'page', props: fault('exit') })],
  'exit midway': [4, () => ({ path: 'stream', props: brokenIn('exit') })],
  stray: [4, () => ({ path: 'page', props: fault('stray') })],
  'stray midway': [4, () => ({ path: 'stream', props: brokenIn('stray') })],
  memory: [3, () => ({ path: 'page', props: fault('memory') })],
  loop: [2, () => ({ path: 'page', props: fault('loop') })],
  'loop midway': [2, () => ({ path: 'stream', props: brokenIn('loop') })],
  never: [2, () => ({ path: 'page', props: fault('never') })],
  wait: [3, () => ({ path: 'page', props: fault('wait') })],
  'wait midway': [3, () => ({ path: 'stream', props: brokenIn('wait') })],
}
const names = Object.keys(kinds)
const deck = Object.entries(kinds).flatMap(([name, [share]]) => Array<string>(share).fill(name))

/** The first ones are one of each kind. */
const drawn = (index: number): Asking =>
  kinds[names[index] ?? (deck[upTo(deck.length)] as string)]?.[1]() as Asking

/** The responses that an error may become, as the README documents them. */
const responses: Record<string, string[]> = {
  throw: ['418 AS_ASKED'],
  invalid: ['500 INVALID_PAGE'],
  exit: ['500 WORKER_CRASHED'],
  stray: ['500 WORKER_CRASHED'],
  memory: ['500 WORKER_CRASHED', '504 RENDER_TIMEOUT'],
  loop: ['504 RENDER_TIMEOUT'],
  never: ['504 RENDER_TIMEOUT'],
  wait: ['504 RENDER_TIMEOUT'],
}
const refusals = ['503 QUEUE_FULL', '503 QUEUE_TIMEOUT']

/** What became of a request; it begins with `wrong` for what must not be. */
function judge({ path, props, method, headers: sent }: Asking, answer: Answer | undefined): string {
  if (!answer) return 'left'
  const { ms, status, headers, body, isBroken } = answer
  const { token, times, fault } = props
  const expected = Buffer.from(token.repeat(method === 'HEAD' ? 0 : times))
  // A render's time includes the start of a thread, where one was lost: on a busy machine that may be too long.
  if (!fault && ms > taskTimeout && (isBroken || status === 504)) return 'late'
  if (status === 304) {
    return sent?.['if-none-match'] === headers.etag && body.length === 0 ? '304' : 'wrong 304'
  }
  if (status === 200) {
    if (headers['x-token'] !== encodeURIComponent(token)) return `wrong head ${headers['x-token']}`
    if (isBroken) {
      const isRight = path === 'stream' && fault && expected.subarray(0, body.length).equals(body)
      return isRight ? 'broken' : `wrong break of ${JSON.stringify(props)}`
    }
    if (fault && fault !== 'spin') return `wrong success of ${JSON.stringify(props)}`
    return body.equals(expected) ? '200' : `wrong page of ${JSON.stringify(props)}: ${body.subarray(0, 200)}`
  }
  if (method === 'HEAD') return status === 503 ? '503' : `wrong ${status} of HEAD`
  const told = `${status} ${JSON.parse(body.toString()).code}`
  if (refusals.includes(told)) return headers['retry-after'] === '1' ? told : `wrong ${told}`
  return responses[fault ?? '']?.includes(told) ? told : `wrong ${told} of ${JSON.stringify(props)}`
}

it(`${requests} requests of all kinds: each gets its own page or a documented error, nothing is left`, {
  timeout: 3_600_000,
}, async ({ annotate }) => {
  // As Node gives one for many listeners of one emitter.
  const warnings: string[] = []
  const warned = ({ message }: Error) => void warnings.push(message)
  process.on('warning', warned)
  onTestFinished(() => void process.off('warning', warned))
  const { app, port } = await serve({
    maxThreads: threads,
    slots: 8,
    slotSize: 65_536,
    streamBuffer: 65_536,
    maxQueue: 40,
    taskTimeout,
    cancelGrace: 200,
    closeTimeout,
    resourceLimits: { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 4 },
    cache: { max: 50 },
  })
  onTestFinished(() => app.close())
  let client = new Client(port)
  const etags = new Map<string, string>()
  const outcomes: Record<string, number> = {}

  const one = async (asking: Asking) => {
    const { token } = asking.props
    const etag = asking.path === 'cached' && etags.get(token)
    if (etag) asking.headers = { 'if-none-match': etag }
    const answer = await client.ask(asking)
    if (asking.path === 'cached' && answer?.headers.etag) etags.set(token, answer.headers.etag)
    const outcome = judge(asking, answer)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    if (answer?.status === 503) await delay(100)
  }
  const run = async (total: number) => {
    let next = 0
    const loop = async () => {
      while (next < total) {
        await one(drawn(next++))
        if (random() > 0.01) continue
        // More at once than may wait.
        const burst = Array.from({ length: 60 }, kinds.page?.[1] as () => Asking)
        next += burst.length
        await Promise.all(burst.map(one))
      }
    }
    await Promise.all(Array.from({ length: 12 }, loop))
    client.close()
    await idle(app.renderer, app)
    const { count } = app.renderer.stats().workers
    // Piscina replaces some threads only when they are needed.
    await fullCapacity(app.renderer, threads)
    await idle(app.renderer, app)
    const held = holdings(app)
    client = new Client(port)
    return { held, count, ...(await memory()) }
  }

  const before = await run(Math.max(200, requests / 5))
  const { restarts } = app.renderer.stats().workers
  const began = performance.now()
  const after = await run(requests)
  const seconds = (performance.now() - began) / 1000

  const heap = after.heap - before.heap
  const buffers = after.buffers - before.buffers
  const killed = app.renderer.stats().workers.restarts - restarts
  const rendering = await fullCapacity(app.renderer, threads)
  client.close()
  const closing = performance.now()
  await app.close()
  const closedMs = performance.now() - closing
  await annotate(
    `seed ${seed}: ${requests} requests in ${seconds.toFixed(1)} s, ${killed} threads crashed or killed, ${after.count} of ${threads} there at its end; heap ${heap >> 10} KiB more, buffers ${buffers >> 10} KiB more, closed in ${closedMs.toFixed()} ms; all ${JSON.stringify(outcomes)}`,
  )

  expect(Object.keys(outcomes).filter(outcome => outcome.startsWith('wrong'))).toEqual([])
  expect(Object.keys(outcomes)).toEqual(
    expect.arrayContaining(['200', '304', 'left', 'broken', '503 QUEUE_FULL']),
  )
  expect(Object.keys(outcomes)).toEqual(
    expect.arrayContaining(Object.values(responses).map(([told]) => told)),
  )
  expect(warnings).toEqual([])
  expect(outcomes.late ?? 0).toBeLessThan(requests / 100)
  expect(after.held).toEqual(before.held)
  expect(after.held).toMatchObject({ slots: [0, 0], streams: 0, waiting: 0, active: 0, threads })
  expect(new Set(rendering).size).toBe(threads)
  expect(heap).toBeLessThan(2 ** 20 + 100 * requests)
  expect(buffers).toBeLessThan(2 ** 20)
  expect(closedMs).toBeLessThan(closeTimeout)
})
