import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on the loopback interface, for a network that misbehaves. */
export interface TcpProxy {
  port: number
  /** Where new connections lead to. */
  target: number
  /** When set: client data for which it answers true goes nowhere. Connections are numbered from 1. */
  swallow: ((data: Buffer, connection: number) => boolean) | undefined
  /** While true nothing of the server is read: its buffers fill. */
  pause(isPaused: boolean): void
  /** Breaks all connections. */
  cut(): void
  /** Breaks all connections and accepts no more. */
  close(): Promise<void>
}

export async function startProxy(target: number): Promise<TcpProxy> {
  const clients = new Set<Socket>()
  const servers = new Set<Socket>()
  let connections = 0
  const server = createServer(client => {
    connections += 1
    const connection = connections
    const upstream = connect(proxy.target, '127.0.0.1')
    for (const [socket, other, all] of [
      [client, upstream, clients],
      [upstream, client, servers],
    ] as const) {
      all.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        all.delete(socket)
        other.end()
      })
    }
    upstream.on('data', data => client.write(data))
    client.on('data', data => {
      if (!proxy.swallow?.(data, connection)) upstream.write(data)
    })
  })
  const cut = () => {
    for (const socket of [...clients, ...servers]) socket.destroy()
  }
  const proxy: TcpProxy = {
    port: 0,
    target,
    swallow: undefined,
    pause(isPaused) {
      for (const socket of servers) isPaused ? socket.pause() : socket.resume()
    },
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
