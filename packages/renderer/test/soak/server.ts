import type { AddressInfo } from 'node:net'
import type { RenderContext } from '@scratchyjs/renderer'
import rendererPlugin, { type RendererPluginOptions } from '@scratchyjs/renderer/plugin'
import Fastify, { type FastifyInstance } from 'fastify'

/** What `fixtures/soak.mjs` makes a page of. */
export interface CanaryProps {
  /** Of which the whole page is made. */
  token: string
  /** How often the token is in the page: a multiple of `parts`. */
  times: number
  /** Absent: the page is made at once. */
  parts?: number
  /** What goes wrong, before the page or in the midst of its parts. */
  fault?: string
  ms?: number
  isBytes?: boolean
  /** Bytes that only make the context larger. */
  ballast?: number
}

export const contextOf = ({ ballast = 0, ...props }: CanaryProps): RenderContext => ({
  route: 'canary',
  props: ballast > 0 ? { ...props, ballast: 'x'.repeat(ballast) } : props,
})

/** A server whose pages are made of canaries: `/page`, `/stream` and `/cached`, with the props as JSON in `props`. */
export async function serve(
  options: Partial<RendererPluginOptions>,
  prepare: (app: FastifyInstance) => void = () => {},
): Promise<{ app: FastifyInstance; port: number }> {
  const app = Fastify({ forceCloseConnections: true })
  await app.register(rendererPlugin, { worker: new URL('../fixtures/soak.mjs', import.meta.url), ...options })
  prepare(app)
  type Asked = { Querystring: { props: string } }
  const asked = ({ props }: Asked['Querystring']) => contextOf(JSON.parse(props))
  app.get<Asked>('/page', ({ query }, reply) => reply.render(asked(query)))
  app.get<Asked>('/stream', ({ query }, reply) => reply.renderStream(asked(query)))
  app.get<Asked>('/cached', ({ query }, reply) =>
    reply.render(asked(query), { cache: { ttl: 1, staleWhileRevalidate: 5, query: ['props'] } }),
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, port: (app.server.address() as AddressInfo).port }
}
