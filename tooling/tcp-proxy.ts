import { connect, createServer, type Socket } from 'node:net'

/** Which way bytes go: from the clients, or to them. */
export type Direction = 'toServer' | 'toClient'

/** A TCP proxy on the loopback interface, for a network that misbehaves. */
export interface TcpProxy {
  port: number
  /** Where new connections lead to. */
  target: number
  /** When set: client data for which it answers true goes nowhere. Connections are numbered from 1. */
  swallow: ((data: Buffer, connection: number) => boolean) | undefined
  /**
   * Connections of now lose bytes and ends in these directions: all of them, or those for which `isLost` says so, but
   * the first one in any case.
   */
  halfOpen(directions: readonly Direction[], isLost?: () => boolean): void
  /**
   * Milliseconds by which all that comes from the server is late; 0 at first. Fractions count, which timers don't know:
   * this thread sleeps a tenth of a millisecond at a time while something is under way.
   */
  delayMs: number
  /** While true nothing of the server is read: its buffers fill. */
  pause(isPaused: boolean): void
  /** While true nothing is read from either side, new connections' bytes included; nothing is lost. */
  stall(isStalled: boolean): void
  /** While true new connections are broken as soon as they are made. */
  refuse(isRefusing: boolean): void
  /** Breaks all connections. */
  cut(): void
  /** Breaks all connections and accepts no more. */
  close(): Promise<void>
}

interface Connection {
  client: Socket
  upstream: Socket
  lost: Set<Direction>
}

/** Starts a proxy to a port of the loopback interface, on a free one. */
export async function startProxy(target: number): Promise<TcpProxy> {
  const open = new Set<Connection>()
  let connections = 0
  let isStalled = false
  let isRefusing = false
  const late = new Late()
  // Half closed connections are passed on as such: an end can be lost like bytes.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    connections += 1
    const number = connections
    client.on('error', () => {})
    if (isRefusing) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect({ port: proxy.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const connection: Connection = { client, upstream, lost: new Set() }
    open.add(connection)
    carry(connection, 'toServer', { isSwallowed: data => proxy.swallow?.(data, number) ?? false })
    carry(connection, 'toClient', { later: run => late.run(run, proxy.delayMs) })
    if (isStalled) stallOne(connection, true)
    client.on('close', () => open.delete(connection))
  })
  const stallOne = ({ client, upstream }: Connection, isPaused: boolean) => {
    for (const socket of [client, upstream]) isPaused ? socket.pause() : socket.resume()
  }
  const proxy: TcpProxy = {
    port: 0,
    target,
    swallow: undefined,
    delayMs: 0,
    halfOpen(directions, isLost = () => true) {
      for (const [index, { lost }] of [...open].entries())
        if (index === 0 || isLost()) for (const direction of directions) lost.add(direction)
    },
    pause(isPaused) {
      for (const { upstream } of open) isPaused ? upstream.pause() : upstream.resume()
    },
    stall(stalled) {
      isStalled = stalled
      for (const connection of open) stallOne(connection, stalled)
    },
    refuse(refusing) {
      isRefusing = refusing
    },
    cut() {
      for (const { client, upstream } of open) for (const socket of [client, upstream]) socket.destroy()
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        proxy.cut()
      }),
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  proxy.port = (server.address() as { port: number }).port
  return proxy
}

/** Things to do later, in the order in which they were asked for. */
class Late {
  readonly #waiting: { at: number; run: () => void }[] = []
  readonly #never = new Int32Array(new SharedArrayBuffer(4))

  run(run: () => void, delayMs: number): void {
    if (delayMs === 0 && this.#waiting.length === 0) {
      run()
      return
    }
    this.#waiting.push({ at: performance.now() + delayMs, run })
    if (this.#waiting.length === 1) setImmediate(() => this.#look())
  }

  #look(): void {
    for (;;) {
      const [first] = this.#waiting
      if (!first) return
      const left = first.at - performance.now()
      if (left > 0) {
        Atomics.wait(this.#never, 0, 0, Math.min(left, 0.1))
        setImmediate(() => this.#look())
        return
      }
      first.run()
      this.#waiting.shift() // now, so that what it asks for is done by this loop
    }
  }
}

function carry(
  { client, upstream, lost }: Connection,
  direction: Direction,
  {
    isSwallowed = () => false,
    later = run => run(),
  }: { isSwallowed?: (data: Buffer) => boolean; later?: (run: () => void) => void },
): void {
  const [from, to] = direction === 'toServer' ? [client, upstream] : [upstream, client]
  from.on('data', data => {
    if (!lost.has(direction) && !isSwallowed(data)) later(() => to.write(data))
  })
  from.on('end', () => {
    if (!lost.has(direction)) later(() => to.end())
  })
  from.on('error', () => {})
  from.on('close', () => {
    // A client that is gone frees the server's side in any case: nothing is left behind.
    if (!lost.has(direction) || from === client) later(() => to.destroy())
  })
}
