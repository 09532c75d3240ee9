import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'

const waitingOn = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls back once, when an answer has been sent or its client has gone. The response's own 'close' is not enough: one
 * that waits behind another on the same connection (pipelining) never hears that the connection was lost.
 */
export function whenAnswered(reply: FastifyReply, callback: () => void): void {
  const { socket } = reply.request.raw
  const waiting = waitingOn.get(socket) ?? listenTo(socket)
  const finish = () => {
    if (waiting.delete(finish)) callback()
  }
  waiting.add(finish)
  reply.raw.once('close', finish)
  if (socket.destroyed) finish()
}

function listenTo(socket: Socket): Set<() => void> {
  const waiting = new Set<() => void>()
  waitingOn.set(socket, waiting)
  socket.once('close', () => {
    for (const finish of waiting) finish()
  })
  return waiting
}
