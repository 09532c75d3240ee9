import subscriberPlugin from '@scratchyjs/cache-invalidation/subscriber-plugin'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Redis } from 'ioredis'
import { allStale, staleWith } from './document-tags.js'
import type { InvalidationStats } from './stats.js'

/**
 * `POST /api/invalidate` with `{"keys":["Reference/Hooks"]}`: these documents have changed. The renderer drops their
 * pages on every server that shares its cache; whatever is rendered from then on is made of the files as they are.
 */
export function addInvalidationRoute(app: FastifyInstance, documents: ReadonlySet<string>): void {
  app.post<{ Body: { keys: string[] } }>(
    '/api/invalidate',
    { schema: { body: bodySchema }, onRequest: refuseStrangers },
    async ({ body: { keys } }, reply) => {
      const unknown = keys.find(key => !documents.has(key))
      if (unknown !== undefined) {
        return reply.code(400).send({ error: `There is no document ${JSON.stringify(unknown)}` })
      }
      try {
        await app.renderer.invalidate(staleWith(keys))
      } catch (error) {
        app.log.warn({ err: error }, 'other servers were not told of an invalidation')
        return reply.code(503).send({ error: 'Redis can’t be reached: no other server was told' })
      }
      return { invalidated: keys }
    },
  )
}

/**
 * Obeys programs that know nothing of pages: they publish the paths of changed documents on the usual channel, with
 * `createCacheInvalidator({ publisher }).publish(['Reference/Hooks'])`.
 */
export async function obeyPublishers(
  app: FastifyInstance,
  subscriber: Redis,
  documents: ReadonlySet<string>,
): Promise<() => InvalidationStats> {
  const counts = { received: 0, flushes: 0 }
  await app.register(subscriberPlugin, {
    subscriber,
    async onInvalidate(keys: string[]) {
      counts.received += keys.length
      const changed = keys.filter(key => documents.has(key))
      if (changed.length > 0) await app.renderer.invalidate(staleWith(changed))
    },
    async onFlush() {
      counts.flushes++
      await app.renderer.invalidate(allStale)
    },
  })
  return () => ({ subscription: app.cacheSubscription.status, ...counts })
}

const bodySchema = {
  type: 'object',
  required: ['keys'],
  properties: {
    keys: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', maxLength: 200 } },
  },
}

/**
 * Only programs and pages on this machine may ask. A page of another site can't: it has another origin, and one that
 * has its name point here (DNS rebinding) names a host that isn't this machine.
 */
async function refuseStrangers(request: FastifyRequest): Promise<void> {
  const { headers, ip } = request
  const refused = (reason: string) =>
    Object.assign(new Error(`Only this machine may invalidate: ${reason}`), { statusCode: 403 })
  if (!/^(?:127\.|::1$|::ffff:127\.)/.test(ip)) throw refused('the request comes from another one')
  if (headers.forwarded ?? headers['x-forwarded-for']) throw refused('the request came through a proxy')
  const host = headers.host ?? ''
  if (!/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(host))
    throw refused('it is asked by another name')
  if (headers.origin !== undefined && headers.origin !== `http://${host}`) throw refused('another site asks')
}
