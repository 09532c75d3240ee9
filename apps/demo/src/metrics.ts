import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

/** `/metrics`: the renderer's, in Prometheus' text. */
export function addMetricsRoute(app: FastifyInstance, registry: Registry): void {
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
}
