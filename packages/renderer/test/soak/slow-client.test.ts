import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Client } from './client.js'
import { idle, memory } from './leaks.js'
import { type CanaryProps, serve } from './server.js'

const seconds = Number(process.env.SOAK_SLOW_SECONDS ?? 4)
const rate = 1024
const streamBuffer = 2 ** 18
/** Far more than the kernel's buffers of a connection take. */
const large = { token: '<slow>', times: 2_500_000, parts: 2500 }
const page = Buffer.from(large.token.repeat(large.times))

/** Reads a page so many bytes a second, until it is let go. */
function readSlowly(port: number, props: CanaryProps) {
  const socket = connect({ port, host: '127.0.0.1', readableHighWaterMark: rate } as never)
  const path = `/stream?props=${encodeURIComponent(JSON.stringify(props))}`
  socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
  const chunks: Buffer[] = []
  let length = 0
  const read = () => {
    const chunk: Buffer | null = socket.read(rate) ?? socket.read()
    if (chunk) length += chunks.push(chunk) && chunk.length
  }
  const timer = setInterval(read, 1000)
  return {
    get length() {
      return length
    },
    /** The rest at full speed, and all that came: head, and chunks of the body. */
    async rest(): Promise<Buffer> {
      clearInterval(timer)
      socket.on('data', chunk => void chunks.push(chunk))
      await once(socket, 'end')
      return Buffer.concat(chunks)
    },
  }
}

/** The body of a response that was sent in chunks. */
function dechunk(response: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = response.indexOf('\r\n\r\n') + 4
  for (;;) {
    const line = response.indexOf('\r\n', at)
    const size = Number.parseInt(response.toString('latin1', at, line), 16)
    if (size === 0) return Buffer.concat(parts)
    parts.push(response.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}

/** Bytes a second of streams that two clients read as fast as they come. */
async function throughput(port: number, ms: number): Promise<number> {
  const client = new Client(port)
  const props = { token: '<fast>', times: 400_000, parts: 400 }
  const began = performance.now()
  let bytes = 0
  const loop = async () => {
    while (performance.now() - began < ms) {
      const answer = await client.ask({ path: 'stream', props })
      expect(answer?.body.length).toBe(props.token.length * props.times)
      bytes += answer?.body.length ?? 0
    }
  }
  await Promise.all([loop(), loop()])
  client.close()
  return bytes / ((performance.now() - began) / 1000)
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number

interface Sending {
  stream: Readable
  response: ServerResponse
}

it(`a client that reads ${rate} bytes a second holds little memory and slows nobody`, {
  timeout: 600_000,
}, async ({ annotate }) => {
  const sent: Sending[] = []
  const { app, port } = await serve({ maxThreads: 3, slots: 8, streamBuffer, taskTimeout: 600_000 }, app => {
    app.addHook('onSend', async ({ url }, { raw: response }, payload) => {
      if (url.includes('slow')) sent.push({ stream: payload as Readable, response })
    })
  })
  onTestFinished(() => app.close())
  const { renderer } = app
  await renderer.ready

  /** Resolves when nothing more goes out: the kernel's buffers are full, and all behind them. */
  const startSlow = async () => {
    const slow = readSlowly(port, large)
    await vi.waitFor(() => expect(sent).toHaveLength(1))
    const { response } = sent[0] as Sending
    for (let written = 0; response.socket?.bytesWritten !== written; await delay(200)) {
      written = response.socket?.bytesWritten as number
    }
    return slow
  }
  const endSlow = async (slow: ReturnType<typeof readSlowly>) => {
    expect((sent.pop() as Sending).response.writableFinished).toBe(false)
    expect(dechunk(await slow.rest()).equals(page)).toBe(true)
    await idle(renderer, app)
  }

  const round = (seconds * 1000) / 6
  await throughput(port, seconds * 500) // as long as beside it: other clients' buffers are in this process too
  const before = await memory()
  let slow = await startSlow()
  const beginning = slow.length
  let held = 0
  const sample = setInterval(() => {
    const { stream, response } = sent[0] as Sending
    held = Math.max(held, stream.readableLength + response.writableLength)
  }, 5)
  await throughput(port, seconds * 500)
  clearInterval(sample)
  const buffers = (await memory()).buffers - before.buffers
  const came = slow.length - beginning
  await endSlow(slow)

  // From here on without collections: code runs slower for a while after a forced one.
  const alone: number[] = []
  const beside: number[] = []
  await throughput(port, round)
  for (let i = 0; i < 3; i++) {
    alone.push(await throughput(port, round))
    slow = await startSlow()
    beside.push(await throughput(port, round))
    await endSlow(slow)
  }
  const ratio = median(beside) / median(alone)
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed()
  await annotate(
    `${came} bytes of a page of ${mebibytes(page.length)} MiB read in ${seconds / 2} s: at most ${held >> 10} KiB held behind the ring of ${streamBuffer >> 10} KiB, buffers ${buffers >> 10} KiB more; others ${mebibytes(median(alone))} MiB/s without it and ${mebibytes(median(beside))} MiB/s beside it, ratio ${ratio.toFixed(2)}`,
  )
  expect(came).toBeLessThanOrEqual(rate * (seconds / 2 + 1))
  expect(held).toBeGreaterThan(0)
  expect(held + streamBuffer).toBeLessThanOrEqual(2 * streamBuffer)
  // With those of the other clients, and one ring more that is kept for later streams: as many as ever overlapped.
  expect(buffers).toBeLessThanOrEqual(3 * streamBuffer + 2 ** 17)
  expect(ratio).toBeGreaterThan(0.3)
})
