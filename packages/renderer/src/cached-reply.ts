import { pageKey } from '@scratchyjs/redis-transport'
import type { FastifyReply } from 'fastify'
import type { RenderContext } from './define-renderer.js'
import type { PageCache, ServedPage } from './page-cache.js'
import type { PageCaching } from './page-cache-options.js'
import { matches } from './page-conditional.js'
import { type ContextLoader, hasNonce, isPersonal, type PageRequest, pageRequestOf } from './page-request.js'
import type { Page } from './page-transport.js'
import { type RendererCore, serialise } from './renderer.js'

/** A page on its way to a reply. */
interface PageJob {
  result: Promise<ServedPage>
  cancel(reason: unknown): void
}

/**
 * Begins to look for the page. All that its render gets is in its key: the whole context, or else the request as the
 * loader of the context sees it. `undefined` when that loader has answered the request itself.
 */
export async function beginCached(
  { begin, beginJson }: Pick<RendererCore, 'begin' | 'beginJson'>,
  pages: PageCache,
  reply: FastifyReply,
  source: RenderContext | ContextLoader,
  options: PageCaching,
): Promise<PageJob | undefined> {
  const { request } = reply
  const caching = pages.resolve(options)
  const seen = pageRequestOf(request, caching)
  const { headers, query, host } = seen
  const { build } = pages
  const complete = (context: RenderContext) => ({ headers, query, ...context })

  if (typeof source === 'function') {
    const { route } = seen
    if (isPersonal(request) || !pages.canHold(route)) {
      pages.counts.bypassed++
      const context = await source({ ...seen, personal: { request, reply } })
      return reply.sent ? undefined : begin(complete(context))
    }
    const key = pageKey({ route, vary: { request: identify(reply, seen) }, host, build })
    const render = async () => {
      const context = complete(await source(seen))
      return { page: await begin(context).result, isPersonal: hasNonce(context) }
    }
    return shared(pages.find({ key, route, caching, render }))
  }

  const context = complete(source)
  const json = serialise(context)
  const { route } = context
  if (isPersonal(request) || hasNonce(context) || !pages.canHold(route)) {
    pages.counts.bypassed++
    return beginJson(json, route)
  }
  const key = pageKey({ route, vary: { context: json }, host, build })
  const render = async () => ({ page: await beginJson(json, route).result, isPersonal: false })
  return shared(pages.find({ key, route, caching, render }))
}

/** Sends a page whose head is set, unless the client has it already. */
export function sendConditionally(reply: FastifyReply, page: ServedPage): FastifyReply {
  const { etag, age, body } = page
  if (etag === undefined) return reply.send(body)
  reply.header('etag', etag)
  if (age !== undefined) reply.header('age', age)
  if (!matches(reply.request.headers['if-none-match'], etag)) return reply.send(body)
  return reply.code(304).removeHeader('content-type').send()
}

/** @throws TypeError when a page is to be streamed and cached */
export function refuseCache(options: object | undefined): void {
  if (options && 'cache' in options && options.cache !== undefined) {
    throw new TypeError('A streamed page can not be cached: use render in place of renderStream')
  }
}

/** It goes on when its client leaves: others may wait for it, and will ask for it. */
const shared = (result: Promise<Page>): PageJob => ({ result, cancel() {} })

/** Which handler the request has come to, and all that it lets the page see. */
function identify({ request }: FastifyReply, { params, query, headers }: PageRequest): string {
  const { url, version } = request.routeOptions as { url?: string; version?: string }
  return JSON.stringify({ url, version, params, query, headers })
}
