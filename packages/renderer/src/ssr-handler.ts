import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuseCache } from './cached-reply.js'
import type { PageCaching } from './page-cache-options.js'
import type { PageRequest } from './page-request.js'
import type {} from './plugin.js'

/** Options of {@link createSSRHandler} and {@link createStreamingSSRHandler}. */
export interface SSRHandlerOptions {
  /** What the page is made of. Answering the request here, a redirect say, ends it: nothing is rendered. */
  getProps?(request: FastifyRequest, reply: FastifyReply): unknown
  cache?: undefined
}

/** Options of {@link createSSRHandler} for pages that are cached. */
export interface CachedSSRHandlerOptions {
  /**
   * What the page is made of; called only when it must be rendered, with what of the request the page may depend on.
   * For a request that bypasses the cache there is `personal` too, the whole request and its reply.
   */
  getProps?(page: PageRequest): unknown
  cache: PageCaching
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** A route handler that renders the request's path, without its query, with the props of `getProps`. */
export function createSSRHandler(options?: SSRHandlerOptions): Handler
export function createSSRHandler(options: CachedSSRHandlerOptions): Handler
export function createSSRHandler(options: SSRHandlerOptions | CachedSSRHandlerOptions = {}): Handler {
  if (options.cache === undefined) return handler('render', options)
  const { getProps, cache } = options
  return (_, reply) =>
    reply.render(async page => ({ route: page.route, props: await getProps?.(page) }), { cache })
}

/** The same, whose page is sent while it is rendered. It can't be cached. */
export function createStreamingSSRHandler(options: SSRHandlerOptions = {}): Handler {
  refuseCache(options)
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
