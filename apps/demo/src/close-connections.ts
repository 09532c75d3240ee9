import type { FastifyInstance } from 'fastify'
import { whenAnswered } from './when-answered.js'

const everyMs = 50

/**
 * While the server closes, hangs up on connections as soon as no request is being answered: browsers open some in
 * advance, and Node waits for those that have never asked anything.
 */
export function closeConnectionsWhenAnswered(app: FastifyInstance): void {
  let underWay = 0
  app.addHook('onRequest', async (_request, reply) => {
    underWay++
    whenAnswered(reply, () => underWay--)
  })
  app.addHook('preClose', done => {
    const timer = setInterval(() => underWay === 0 && app.server.closeAllConnections(), everyMs)
    app.server.once('close', () => clearInterval(timer))
    if (!app.server.listening) clearInterval(timer)
    done()
  })
}
