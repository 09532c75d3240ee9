import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { SettingError, type Settings } from './environment.js'
import { buildApp, type PortalOptions } from './server.js'

/** A portal that listens. */
export interface Portal {
  app: FastifyInstance
  /** Where to open it: `http://127.0.0.1:3000`. */
  url: string
  /** Lets requests under way finish and ends all threads and connections. */
  close(): Promise<void>
}

/**
 * Starts the portal; resolves when its workers are ready and it listens.
 *
 * @throws SettingError when the port is taken, with one line that says what to do
 */
export async function start({ port, host, ...options }: Settings & PortalOptions): Promise<Portal> {
  await listenBriefly(port, host)
  const app = await buildApp(options)
  try {
    await app.listen({ port, host })
  } catch (error) {
    await app.close()
    throw explained(error, port)
  }
  const address = app.server.address() as AddressInfo
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return { app, url: `http://${shown}:${address.port}`, close: () => app.close() }
}

/** Finds out whether the port is free before the workers are started: an answer at once. */
async function listenBriefly(port: number, host: string): Promise<void> {
  const server = createServer().listen(port, host)
  await once(server, 'listening').catch(error => {
    throw explained(error, port)
  })
  server.close()
  await once(server, 'close')
}

function explained(error: unknown, port: number): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error
  const other = port === 65_535 ? 3000 : port + 1
  return new SettingError(
    `Port ${port} is taken: set PORT to another one, for example PORT=${other} npm start.`,
  )
}
