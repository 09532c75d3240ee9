import type { EventEmitter } from 'node:events'
import type { FastifyBaseLogger } from 'fastify'
import type { Cluster, Redis } from 'ioredis'

/** Logs a client's errors as warnings: one that every attempt to reconnect repeats, once until it is connected again. */
export function outageLog(
  client: Redis | Cluster,
  log: FastifyBaseLogger,
  prefix = '',
): (error: Error) => void {
  let latest: string | undefined
  ;(client as EventEmitter).on('ready', () => {
    latest = undefined
  })
  return error => {
    if (error.message !== latest) log.warn({ err: error }, prefix + error.message)
    latest = error.message
  }
}
