import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RenderContext } from './define-renderer.js'
import type { ResolvedCaching } from './page-cache-options.js'

/** All of a request that a cached page may depend on. */
export interface PageRequest {
  /** The path, without its query. */
  readonly route: string
  /** The path's parameters, as Fastify found them. */
  // biome-ignore lint/suspicious/noExplicitAny: as Fastify types them, unless a route says more
  readonly params: any
  /** The listed parameters of the query that are there. */
  // biome-ignore lint/suspicious/noExplicitAny: strings or lists of them, or what the app's own parser makes
  readonly query: Readonly<Record<string, any>>
  /** The listed headers that are there, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the request, with its port where it names one. */
  readonly host: string
  /** Only for a request that bypasses the cache, as one with a cookie does: its page is for it alone. */
  readonly personal?: { readonly request: FastifyRequest; readonly reply: FastifyReply }
}

/** The context of a page that may be cached, made when it must be rendered. */
export type ContextLoader = (page: PageRequest) => RenderContext | Promise<RenderContext>

/** What the request shows to a page with this caching. */
export function pageRequestOf(request: FastifyRequest, { query, headers }: ResolvedCaching): PageRequest {
  return {
    route: request.url.split('?', 1)[0] ?? '/',
    params: request.params,
    query: pickOwn((request.query ?? {}) as Record<string, unknown>, query),
    headers: pickHeaders(request.headers, headers),
    host: request.host,
  }
}

/** Whether the answer may be for this client alone, or is no page at all. */
export function isPersonal({ method, headers }: FastifyRequest): boolean {
  return (
    (method !== 'GET' && method !== 'HEAD') ||
    headers.cookie !== undefined ||
    headers.authorization !== undefined
  )
}

/** Whether the page will hold a nonce: it is good for one response. */
export function hasNonce({ nonce, props }: RenderContext): boolean {
  return nonce !== undefined || (props as { nonce?: unknown } | null | undefined)?.nonce !== undefined
}

export function pickHeaders(
  headers: FastifyRequest['headers'],
  names: readonly string[],
): Record<string, string> {
  const picked: Record<string, string> = {}
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined) picked[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return picked
}

function pickOwn(values: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter(name => Object.hasOwn(values, name)).map(name => [name, values[name]]),
  )
}
