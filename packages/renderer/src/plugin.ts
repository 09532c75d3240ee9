import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { Piscina } from 'piscina'
import { beginCached, refuseCache, sendConditionally } from './cached-reply.js'
import type { RenderContext } from './define-renderer.js'
import { ThreadLog } from './diagnostics-log.js'
import { RendererError } from './error.js'
import type { RendererOptions } from './options.js'
import type { PageCaching } from './page-cache-options.js'
import { type ContextLoader, pickHeaders } from './page-request.js'
import { createRendererCore, type Renderer } from './renderer.js'
import { whenClosed } from './when-closed.js'

declare module 'fastify' {
  interface FastifyInstance {
    renderer: Renderer
    piscina: Piscina
    /** Runs a raw Piscina task in the renderer's pool. */
    runTask: Renderer['runTask']
  }
  interface FastifyReply {
    /** Renders in a worker and sends the page. Return what it gives from an async handler. */
    render(context: RenderContext, options?: ReplyRenderOptions): Promise<FastifyReply>
    /** The same for a page that may be cached, whose context is made only when it must be rendered. */
    render(context: ContextLoader, options: Required<ReplyRenderOptions>): Promise<FastifyReply>
    /** Renders in a worker and sends the page while it is made. Return what it gives from an async handler. */
    renderStream(context: RenderContext): Promise<FastifyReply>
  }
}

/** How one page is answered with. */
export interface ReplyRenderOptions {
  /**
   * The page may be kept for all who send the same request: `render` then gets of the request only the headers and the
   * parameters of the query that are listed here. Needs the plugin's option `cache`.
   */
  cache?: PageCaching
}

/** Options of the Fastify plugin: those of the renderer, and which request headers the worker may see. */
export interface RendererPluginOptions extends RendererOptions {
  /**
   * Names of request headers handed to `render` as `context.headers`. Default accept-language, user-agent, and
   * traceparent and tracestate, by which a worker's spans join the request's trace.
   */
  headers?: readonly string[]
}

const defaultHeaders = ['accept-language', 'user-agent', 'traceparent', 'tracestate']

async function rendererPlugin(fastify: FastifyInstance, options: RendererPluginOptions): Promise<void> {
  const { headers = defaultHeaders, cache, ...rest } = options
  const names = headers.map(name => name.toLowerCase())
  const log = new ThreadLog(fastify.log)
  const { pages, begin, beginJson, beginStream, ...renderer } = createRendererCore(
    {
      onWorkerError: error => log.onWorkerError(error),
      ...rest,
      ...(cache && {
        cache: { onError: error => fastify.log.warn(error, 'the page cache has a problem'), ...cache },
      }),
    },
    log,
  )

  fastify.decorate('renderer', renderer)
  fastify.decorate('piscina', renderer.piscina)
  fastify.decorate('runTask', renderer.runTask)

  async function render(
    this: FastifyReply,
    context: RenderContext | ContextLoader,
    { cache: caching }: ReplyRenderOptions = {},
  ) {
    if (caching !== undefined) return renderCached(this, context, caching)
    if (typeof context === 'function') throw new TypeError('A context that is a function needs `cache`')
    const job = begin({ headers: pickHeaders(this.request.headers, names), ...context })
    // The socket may read the page's memory until the response has closed, so it is given back then.
    const page = await unlessClosed(this, job, page => page.release())
    return page ? head(this, page).send(page.body) : this.hijack()
  }
  fastify.decorateReply('render', render)

  async function renderCached(
    reply: FastifyReply,
    context: RenderContext | ContextLoader,
    caching: PageCaching,
  ) {
    if (!pages) throw new TypeError('Cannot cache the page: the renderer has no option `cache`')
    const job = await beginCached({ begin, beginJson }, pages, reply, context, caching)
    if (!job) return reply
    const page = await unlessClosed(reply, job, page => page.release())
    return page ? sendConditionally(head(reply, page), page) : reply.hijack()
  }

  fastify.decorateReply(
    'renderStream',
    async function (this: FastifyReply, context: RenderContext, options?: object) {
      refuseCache(options)
      const job = beginStream({ headers: pickHeaders(this.request.headers, names), ...context })
      const page = await unlessClosed(this, job, ({ stream }) => stream.destroy())
      if (!page) return this.hijack()
      head(this, page)
      if (this.request.method !== 'HEAD') return this.send(page.stream)
      page.stream.destroy() // Fastify would read it to its end
      return this.send(Readable.from([]))
    },
  )

  fastify.addHook('onReady', () => renderer.ready)
  fastify.addHook('onClose', () => renderer.close())
}

interface Job<Result> {
  result: Promise<Result>
  cancel(reason: unknown): void
}

/**
 * The job's result; `undefined` when the response closed before, and the job is cancelled then. `end` is called with
 * the result when the response has closed.
 */
async function unlessClosed<Result>(
  reply: FastifyReply,
  job: Job<Result>,
  end: (result: Result) => void,
): Promise<Result | undefined> {
  const { raw, request } = reply
  const { socket } = request.raw
  let result: Result | undefined
  let isClosed = false
  const close = () => {
    isClosed = true
    if (result === undefined) job.cancel(new Error('The client has gone'))
    else end(result)
  }
  // A close that came before would not be heard.
  if (raw.destroyed || socket.destroyed) close()
  else whenClosed(raw, socket, close)
  try {
    result = await job.result
  } catch (error) {
    if (isClosed) return undefined
    if (error instanceof RendererError && error.statusCode === 503) reply.header('retry-after', '1')
    throw error
  }
  if (isClosed) {
    end(result)
    return undefined
  }
  return result
}

function head(
  reply: FastifyReply,
  { statusCode, headers }: { statusCode: number; headers: Readonly<Record<string, string | string[]>> },
): FastifyReply {
  if (!headers['content-type'] && !reply.hasHeader('content-type')) reply.type('text/html; charset=utf-8')
  return reply.code(statusCode).headers(headers)
}

/** Fastify plugin: `fastify.renderer`, `fastify.piscina`, `fastify.runTask`, `reply.render`, `reply.renderStream`. */
const plugin: FastifyPluginAsync<RendererPluginOptions> = fp(rendererPlugin, {
  name: '@scratchyjs/renderer',
  fastify: '5.x',
})

export default plugin
