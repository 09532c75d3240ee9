import { connect, createServer, type Socket } from 'node:net'

/** Leads to a port of the loopback interface, until it falls silent: then connections stay open, and nothing passes. */
export interface SilentProxy {
  port: number
  isSilent: boolean
  close(): void
}

export async function startSilentProxy(target: number): Promise<SilentProxy> {
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const upstream = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', data => {
        if (!proxy.isSilent) to.write(data)
      })
    }
  })
  const proxy: SilentProxy = {
    port: 0,
    isSilent: false,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  proxy.port = (server.address() as { port: number }).port
  return proxy
}
