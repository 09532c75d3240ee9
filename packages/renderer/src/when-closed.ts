import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const waitingOn = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls back once, as soon as nothing can read what was given to the response: it has closed, or its connection has.
 * A response that waits behind another one on its connection (pipelining) has no 'close' when the connection is lost.
 */
export function whenClosed(response: ServerResponse, socket: Socket, callback: () => void): void {
  // One listener for each socket: a listener for each of its responses would look like a leak to Node.
  const waiting = waitingOn.get(socket) ?? watch(socket)
  const closed = () => {
    if (waiting.delete(closed)) callback()
  }
  waiting.add(closed)
  response.once('close', closed)
}

function watch(socket: Socket): Set<() => void> {
  const waiting = new Set<() => void>()
  waitingOn.set(socket, waiting)
  socket.once('close', () => {
    for (const closed of waiting) closed()
  })
  return waiting
}
