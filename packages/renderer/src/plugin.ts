import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { Piscina } from 'piscina'
import type { RenderContext } from './define-renderer.js'
import { RendererError } from './error.js'
import type { RendererOptions } from './options.js'
import { createRenderer, type Renderer } from './renderer.js'
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
  }
}

/** Options of the Fastify plugin: those of the renderer, and which request headers the worker may see. */
export interface RendererPluginOptions extends RendererOptions {
  /** Names of request headers handed to `render` as `context.headers`. Default accept-language and user-agent. */
  headers?: readonly string[]
}

async function rendererPlugin(fastify: FastifyInstance, options: RendererPluginOptions): Promise<void> {
  const { headers = ['accept-language', 'user-agent'], ...rest } = options
  const names = headers.map(name => name.toLowerCase())
  const renderer = createRenderer({
    onWorkerError: error => fastify.log.error(error, 'a rendering thread ended while idle and is replaced'),
    ...rest,
  })

  fastify.decorate('renderer', renderer)
  fastify.decorate('piscina', renderer.piscina)
  fastify.decorate('runTask', renderer.runTask)
  fastify.decorateReply('render', async function (this: FastifyReply, context: RenderContext) {
    const page = await renderer
      .render({ headers: pick(this.request.headers, names), ...context })
      .catch(error => {
        if (error instanceof RendererError && error.statusCode === 503) this.header('retry-after', '1')
        throw error
      })
    // The socket may read the page's memory until the response has closed, also when that was before now.
    const { socket } = this.request.raw
    if (this.raw.destroyed || socket.destroyed) {
      page.release()
      return this.hijack()
    }
    whenClosed(this.raw, socket, () => page.release())
    if (!page.headers['content-type'] && !this.hasHeader('content-type'))
      this.type('text/html; charset=utf-8')
    return this.code(page.statusCode).headers(page.headers).send(page.body)
  })

  fastify.addHook('onReady', () => renderer.ready)
  fastify.addHook('onClose', () => renderer.close())
}

function pick(headers: FastifyReply['request']['headers'], names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined) picked[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return picked
}

/** Fastify plugin: `fastify.renderer`, `fastify.piscina`, `fastify.runTask`, `reply.render`. */
const plugin: FastifyPluginAsync<RendererPluginOptions> = fp(rendererPlugin, {
  name: '@scratchyjs/renderer',
  fastify: '5.x',
})

export default plugin
