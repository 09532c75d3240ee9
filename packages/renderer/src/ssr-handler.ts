import type { FastifyReply, FastifyRequest } from 'fastify'
import type {} from './plugin.js'

/** Options of {@link createSSRHandler} and {@link createStreamingSSRHandler}. */
export interface SSRHandlerOptions {
  /** What the page is made of. Answering the request here, a redirect say, ends it: nothing is rendered. */
  getProps?(request: FastifyRequest, reply: FastifyReply): unknown
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** A route handler that renders the request's path, without its query, with the props of `getProps`. */
export function createSSRHandler(options: SSRHandlerOptions = {}): Handler {
  return handler('render', options)
}

/** The same, whose page is sent while it is rendered. */
export function createStreamingSSRHandler(options: SSRHandlerOptions = {}): Handler {
  return handler('renderStream', options)
}

function handler(method: 'render' | 'renderStream', { getProps }: SSRHandlerOptions): Handler {
  return async (request, reply) => {
    const props = await getProps?.(request, reply)
    if (reply.sent) return reply
    const [route = '/'] = request.url.split('?', 1)
    return reply[method]({ route, props })
  }
}
