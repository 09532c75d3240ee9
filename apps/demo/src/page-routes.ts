import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { cachingOf } from './document-tags.js'
import { bookRoute } from './links.js'
import type { MainThreadMeter } from './main-thread-meter.js'
import type { BookRequest, PageRequest } from './page.js'
import type { DashboardStats } from './stats.js'
import { whenAnswered } from './when-answered.js'

/** The parts of the server that pages are made from. */
export interface PageSources {
  meter: MainThreadMeter
  /** What the dashboard shows, of this server or of another one. */
  stats(server?: string): Promise<DashboardStats | undefined>
}

type Query = Record<string, string | string[] | undefined>

/** Renders on this thread waiting for another one to end; it is a demonstration, not a second way in. */
const maxOnThisThread = 16

/** Every page of the portal. Only what is said here about a page passes between the threads. */
export function addPageRoutes(app: FastifyInstance, { meter, stats }: PageSources): void {
  let onThisThread = 0

  const send = async (request: FastifyRequest, reply: FastifyReply, page: PageRequest) => {
    // Browsers ask each time, and a page from the cache has an ETag to ask with.
    reply.header('cache-control', 'no-cache')
    if (first((request.query as Query).in) === 'thread') return sendFromThisThread(reply, page)
    const cache = cachingOf(page)
    const metered = meter.begin(cache ? 'fromCache' : 'inWorkers')
    whenAnswered(reply, metered.end)
    const context = { route: request.routeOptions.url ?? '', props: page }
    if (!cache) return reply.render(context)
    const load = () => {
      metered.becomes('inWorkers')
      return context
    }
    return reply.render(load, { cache })
  }

  const sendFromThisThread = async (reply: FastifyReply, page: PageRequest) => {
    if (onThisThread >= maxOnThisThread) {
      reply.header('retry-after', '1')
      throw Object.assign(new Error(`${onThisThread} renders wait for this thread`), { statusCode: 503 })
    }
    onThisThread++
    try {
      // Loaded when it is first asked for: until then this thread has neither a Markdown parser nor a highlighter.
      const { openOnThisThread, renderOnThisThread } = await import('./this-thread.js')
      await openOnThisThread()
      whenAnswered(reply, meter.begin('onMainThread').end)
      const { statusCode, bytes } = await renderOnThisThread(page)
      return reply.code(statusCode).type('text/html; charset=utf-8').send(bytes)
    } finally {
      onThisThread--
    }
  }

  app.get('/', (request, reply) => send(request, reply, { page: 'home' }))
  app.get<{ Params: { '*': string } }>('/docs/*', (request, reply) =>
    send(request, reply, { page: 'document', path: request.params['*'] }),
  )
  app.get<{ Querystring: Query }>('/search', (request, reply) =>
    send(request, reply, { page: 'search', question: first(request.query.q) }),
  )
  app.get<{ Querystring: Query }>('/dashboard', async (request, reply) => {
    const shown = await stats(first(request.query.server))
    return shown ? send(request, reply, { page: 'dashboard', stats: shown }) : reply.renderMissing()
  })
  app.get(bookRoute, (_request, reply) => {
    // The second is for nginx, which would gather the parts.
    reply.headers({ 'cache-control': 'no-cache', 'x-accel-buffering': 'no' })
    return reply.renderStream({ route: bookRoute, props: { page: 'book' } satisfies BookRequest })
  })
  app.get('/docs', (_request, reply) => reply.redirect('/', 308))
  app.decorateReply('renderMissing', function () {
    return send(this.request, this, { page: 'missing' })
  })
}

declare module 'fastify' {
  interface FastifyReply {
    /** Sends the page that says there is none at this address, with status 404. */
    renderMissing(): Promise<FastifyReply>
  }
}

const first = (value: string | string[] | undefined): string =>
  (Array.isArray(value) ? value[0] : value) ?? ''
