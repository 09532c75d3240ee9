import type { FastifyInstance } from 'fastify'
import { Gauge, type Registry } from 'prom-client'

/** `/metrics`: the renderer's own metrics, and how pages that may be kept were answered. */
export function addMetricsRoute(app: FastifyInstance, registry: Registry): void {
  new Gauge({
    name: 'portal_cached_page_answers',
    help: 'Requests for pages that may be kept, by how they were answered',
    labelNames: ['answer'],
    registers: [registry],
    collect() {
      for (const [answer, count] of Object.entries(app.renderer.stats().cache)) this.set({ answer }, count)
    },
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
}
