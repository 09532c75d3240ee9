import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { Piscina } from 'piscina'
import type { RenderContext } from './define-renderer.js'
import { ThreadLog } from './diagnostics-log.js'
import { RendererError } from './error.js'
import type { RendererOptions } from './options.js'
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
    render(context: RenderContext): Promise<FastifyReply>
    /** Renders in a worker and sends the page while it is made. Return what it gives from an async handler. */
    renderStream(context: RenderContext): Promise<FastifyReply>
  }
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
  const { headers = defaultHeaders, ...rest } = options
  const names = headers.map(name => name.toLowerCase())
  const log = new ThreadLog(fastify.log)
  const { begin, beginStream, ...renderer } = createRendererCore(
    { onWorkerError: error => log.onWorkerError(error), ...rest },
    log,
  )

  fastify.decorate('renderer', renderer)
  fastify.decorate('piscina', renderer.piscina)
  fastify.decorate('runTask', renderer.runTask)

  fastify.decorateReply('render', async function (this: FastifyReply, context: RenderContext) {
    const job = begin({ headers: pick(this.request.headers, names), ...context })
    // The socket may read the page's memory until the response has closed, so it is given back then.
    const page = await unlessClosed(this, job, page => page.release())
    return page ? head(this, page).send(page.body) : this.hijack()
  })

  fastify.decorateReply('renderStream', async function (this: FastifyReply, context: RenderContext) {
    const job = beginStream({ headers: pick(this.request.headers, names), ...context })
    const page = await unlessClosed(this, job, ({ stream }) => stream.destroy())
    if (!page) return this.hijack()
    head(this, page)
    if (this.request.method !== 'HEAD') return this.send(page.stream)
    page.stream.destroy() // Fastify would read it to its end
    return this.send(Readable.from([]))
  })

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

function pick(headers: FastifyReply['request']['headers'], names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined) picked[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return picked
}

/** Fastify plugin: `fastify.renderer`, `fastify.piscina`, `fastify.runTask`, `reply.render`, `reply.renderStream`. */
const plugin: FastifyPluginAsync<RendererPluginOptions> = fp(rendererPlugin, {
  name: '@scratchyjs/renderer',
  fastify: '5.x',
})

export default plugin
