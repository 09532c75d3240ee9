import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on the loopback interface that can lose what goes through it. */
export interface TcpProxy {
  port: number
  /** When set: client data for which it answers true goes nowhere. */
  swallow: ((data: Buffer) => boolean) | undefined
  /** Breaks all connections. */
  cut(): void
  /** Breaks all connections and accepts no more. */
  close(): Promise<void>
}

export async function startProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const upstream = connect(target, '127.0.0.1')
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    upstream.pipe(client)
    client.on('data', data => {
      if (!proxy.swallow?.(data)) upstream.write(data)
    })
  })
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const proxy: TcpProxy = {
    port: 0,
    swallow: undefined,
    cut,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        cut()
      }),
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  proxy.port = (server.address() as { port: number }).port
  return proxy
}
