import invalidatorPlugin from '@scratchyjs/cache-invalidation/invalidator-plugin'
import subscriberPlugin from '@scratchyjs/cache-invalidation/subscriber-plugin'
import { createRedisClient } from '@scratchyjs/redis-transport'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Revisions } from './catalogue.js'
import { SettingError } from './environment.js'
import type { InvalidationStats } from './stats.js'

/** What the documents' invalidations have come to on this server. */
export interface Invalidation {
  revisions(): Revisions
  stats(): InvalidationStats
}

/**
 * Shares invalidations with every server on the same Redis. `POST /api/invalidate` with `{"keys":["Reference/Hooks"]}`
 * tells all of them, this one too, to read documents again. A key counts up its document's revision, revisions travel
 * to the workers with each page, and a worker that has an older one reads the file again.
 */
export async function addInvalidation(
  app: FastifyInstance,
  redisUrl: string,
  documents: ReadonlySet<string>,
): Promise<Invalidation> {
  const revisions: Record<string, number> = {}
  const counts = { received: 0, reloads: 0, flushes: 0 }
  const readAgain = (paths: Iterable<string>) => {
    for (const path of paths) {
      revisions[path] = (revisions[path] ?? 0) + 1
      counts.reloads++
    }
  }

  await app.register(invalidatorPlugin, { publisher: connectTo(redisUrl) })
  await app.register(subscriberPlugin, {
    subscriber: connectTo(redisUrl),
    onInvalidate(keys: string[]) {
      counts.received += keys.length
      readAgain(keys.filter(key => documents.has(key)))
    },
    onFlush() {
      counts.flushes++
      readAgain(documents)
    },
  })

  app.post<{ Body: { keys: string[] } }>(
    '/api/invalidate',
    { schema: { body: bodySchema }, onRequest: refuseStrangers },
    async ({ body: { keys } }, reply) => {
      const unknown = keys.find(key => !documents.has(key))
      if (unknown !== undefined) {
        return reply.code(400).send({ error: `There is no document ${JSON.stringify(unknown)}` })
      }
      try {
        await app.invalidateCache(keys)
      } catch (error) {
        app.log.warn({ err: error }, 'an invalidation was not published')
        return reply.code(503).send({ error: 'Redis can’t be reached: no server was told' })
      }
      return { invalidated: keys }
    },
  )

  return {
    revisions: () => ({ ...revisions }),
    stats: () => ({ subscription: app.cacheSubscription.status, ...counts }),
  }
}

/** A client that connects when it is used: the server starts without Redis too. */
function connectTo(redisUrl: string): ReturnType<typeof createRedisClient> {
  try {
    return createRedisClient(redisUrl)
  } catch (error) {
    throw new SettingError(`REDIS_URL can’t be used: ${(error as Error).message}`)
  }
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
