// A process of its own that asks a server for pages, as its parent tells it: see http/load-process.ts.
import { Agent, get } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Answer, Fetched, Order } from './http/load-process.js'
import { percentiles, repeated } from './repeated.js'

const agent = new Agent({ keepAlive: true })
let slow: Socket | undefined

/** Milliseconds to the first byte of a page, and to its last one. Rejects when the answer is not the page. */
function ask(url: string): Promise<{ first: number; last: number }> {
  const expected = Number(new URL(url).searchParams.get('bytes'))
  const startedAt = performance.now()
  const since = () => performance.now() - startedAt
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: 30_000 }, response => {
      let bytes = 0
      let first = 0
      response.on('data', (chunk: Buffer) => {
        if (bytes === 0) first = since()
        bytes += chunk.length
      })
      response.on('end', () => {
        if (response.statusCode === 200 && (expected === 0 || bytes === expected)) {
          resolve({ first, last: since() })
        } else reject(new Error(`${url}: status ${response.statusCode}, ${bytes} bytes`))
      })
      response.on('error', reject)
    })
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error(`${url}: nothing came for 30 s`)))
  })
}

/** Each of `atOnce` connections asks again when it has the page. */
async function load(url: string, milliseconds: number, atOnce: number): Promise<Fetched> {
  const firsts: number[] = []
  const times = await repeated(milliseconds, atOnce, async () => {
    firsts.push((await ask(url)).first)
  })
  return { ...times, firstByte: percentiles(firsts).p50 }
}

/** Asks every `paceMs`, whether the answers before have come or not. */
async function pace(url: string, milliseconds: number, paceMs: number): Promise<Fetched> {
  const asked: Promise<{ last: number }>[] = []
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      const answer = ask(url)
      answer.catch(reject)
      asked.push(answer)
      if (asked.length < milliseconds / paceMs) return
      clearInterval(timer)
      resolve()
    }, paceMs)
  })
  const lasts = (await Promise.all(asked)).map(({ last }) => last)
  return { ...percentiles(lasts), perSecond: 1000 / paceMs, firstByte: 0 }
}

/** Reads a page at so many bytes a second, until told to stop. */
async function crawl(url: string, bytesPerSecond: number): Promise<void> {
  const { port, pathname, search } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  slow = socket
  socket.on('error', () => {})
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: slow\r\n\r\n`)
  const timer = setInterval(() => socket.read(bytesPerSecond / 4), 250)
  socket.on('close', () => clearInterval(timer))
}

async function follow(order: Order): Promise<Answer> {
  if (order.do === 'load') return load(order.url, order.milliseconds, order.atOnce)
  if (order.do === 'pace') return pace(order.url, order.milliseconds, order.paceMs)
  if (order.do === 'crawl') await crawl(order.url, order.bytesPerSecond)
  else slow?.destroy()
  return {}
}

process.on('message', async (order: Order) => {
  process.send?.(await follow(order).catch(error => ({ error: `${error}` })))
})
process.on('disconnect', () => process.exit())
