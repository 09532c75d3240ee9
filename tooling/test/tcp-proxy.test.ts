import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { startProxy, type TcpProxy } from '../tcp-proxy.js'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** A server that answers "hello" and then what it gets, and what it saw of its connections. */
async function startEcho() {
  const seen = { connections: 0, text: '', ends: 0 }
  const server = createServer(socket => {
    seen.connections += 1
    socket.on('error', () => {})
    socket.on('data', data => {
      seen.text += data
      socket.write(data)
    })
    socket.on('end', () => {
      seen.ends += 1
    })
    socket.write('hello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startProxy((server.address() as { port: number }).port)
  stops.push(
    () => server.close(),
    () => proxy.close(),
  )
  return { seen, proxy }
}

async function open(
  proxy: TcpProxy,
): Promise<{ socket: Socket; got: () => string; isClosed: () => boolean }> {
  let text = ''
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', () => {}).on('data', data => (text += data))
  await once(socket, 'connect')
  return { socket, got: () => text, isClosed: () => socket.destroyed }
}

it('passes on bytes and ends, both ways', async () => {
  const { seen, proxy } = await startEcho()
  const { socket, got } = await open(proxy)
  socket.write('a')
  await expect.poll(got).toBe('helloa')
  socket.end()
  await expect.poll(() => seen.ends).toBe(1)
  await expect.poll(() => socket.destroyed).toBe(true)
})

it('a half-open connection loses bytes and ends one way; the next one is whole', async () => {
  const { seen, proxy } = await startEcho()
  const { socket, got, isClosed } = await open(proxy)
  await expect.poll(got).toBe('hello')
  proxy.halfOpen(['toClient'])
  socket.write('a')
  await expect.poll(() => seen.text).toBe('a')
  proxy.halfOpen(['toServer'])
  socket.write('b')
  socket.end()
  await delay(50)
  expect({ got: got(), seen, isClosed: isClosed() }).toEqual({
    got: 'hello',
    seen: { connections: 1, text: 'a', ends: 0 },
    isClosed: false,
  })
  socket.destroy()
  const next = await open(proxy)
  next.socket.write('c')
  await expect.poll(next.got).toBe('helloc')
})

it('a stall loses nothing, of connections made meanwhile either', async () => {
  const { seen, proxy } = await startEcho()
  const before = await open(proxy)
  await expect.poll(before.got).toBe('hello')
  proxy.stall(true)
  const meanwhile = await open(proxy)
  before.socket.write('a')
  meanwhile.socket.write('b')
  await delay(50)
  expect([before.got(), meanwhile.got(), seen.text]).toEqual(['hello', '', ''])
  proxy.stall(false)
  await expect.poll(() => [before.got(), meanwhile.got()]).toEqual(['helloa', 'hellob'])
})

it('swallows what it is told to, refuses, cuts, and leads to another target', async () => {
  const { seen, proxy } = await startEcho()
  const { seen: seenByOther, proxy: other } = await startEcho()
  proxy.swallow = data => data.includes('secret')
  const first = await open(proxy)
  first.socket.write('secret')
  await delay(20)
  first.socket.write('a')
  await expect.poll(() => seen.text).toBe('a')
  proxy.cut()
  await expect.poll(first.isClosed).toBe(true)
  proxy.refuse(true)
  const refused = connect(proxy.port, '127.0.0.1').on('error', () => {})
  await expect.poll(() => refused.closed).toBe(true)
  expect(seen.connections).toBe(1)
  proxy.refuse(false)
  proxy.target = other.target
  await expect.poll((await open(proxy)).got).toBe('hello')
  expect([seen.connections, seenByOther.connections]).toEqual([1, 1])
})

it('delays what comes from the server, by fractions of a millisecond, in its order and to its end', async () => {
  const { proxy } = await startEcho()
  const { socket, got } = await open(proxy)
  await expect.poll(got).toBe('hello')
  proxy.delayMs = 1.5
  const trips: number[] = []
  for (let i = 0; i < 50; i += 1) {
    const before = performance.now()
    socket.write(`${i},`)
    await once(socket, 'data')
    trips.push(performance.now() - before)
  }
  expect(Math.min(...trips)).toBeGreaterThanOrEqual(1.5)
  expect(Math.min(...trips)).toBeLessThan(2)
  socket.write('last')
  socket.end()
  await once(socket, 'close')
  expect(got()).toBe(`hello${Array.from({ length: 50 }, (_, i) => `${i},`).join('')}last`)
})
