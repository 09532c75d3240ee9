import type { FastifyReply, FastifyRequest } from 'fastify'
import type {} from './plugin.js'

/** Options of {@link createSSRHandler}. */
export interface SSRHandlerOptions {
  /** What the page is made of. Answering the request here, a redirect say, ends it: nothing is rendered. */
  getProps?(request: FastifyRequest, reply: FastifyReply): unknown
}

/** A route handler that renders the request's path, without its query, with the props of `getProps`. */
export function createSSRHandler({
  getProps,
}: SSRHandlerOptions = {}): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const props = await getProps?.(request, reply)
    if (reply.sent) return reply
    const [route = '/'] = request.url.split('?', 1)
    return reply.render({ route, props })
  }
}
