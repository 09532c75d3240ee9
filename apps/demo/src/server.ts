import { availableParallelism, hostname } from 'node:os'
import { basename, dirname } from 'node:path'
import fastifyStatic from '@fastify/static'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { Registry } from 'prom-client'
import { assetsFolder, assetsRoute } from './assets.js'
import { buildName } from './build-name.js'
import { answerClientError } from './client-error.js'
import { closeConnectionsWhenAnswered } from './close-connections.js'
import { errorPage } from './error-page.js'
import { History } from './history.js'
import { addInvalidationRoute, obeyPublishers } from './invalidation.js'
import { imagesRoute } from './links.js'
import { MainThreadMeter } from './main-thread-meter.js'
import { addMetricsRoute } from './metrics.js'
import { addPageRoutes } from './page-routes.js'
import { connectTo } from './redis.js'
import { Roster } from './roster.js'
import { documentPaths, findSources, type ImageSource } from './sources.js'
import { cachedPercent, type DashboardStats, type ServerStats } from './stats.js'

const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** At least two, so that there is a pool to see on a small machine, and not more than a demonstration needs. */
const threads = Math.min(Math.max(availableParallelism() - 1, 2), 4)

export interface PortalOptions {
  /** Shares pages, invalidations and statistics with every server that uses the same Redis. */
  redisUrl?: string
  /** What renders the pages. */
  worker?: URL
  /** How long a page may take, in milliseconds. */
  taskTimeout?: number
}

/** The whole portal, not listening yet. */
export async function buildApp({
  redisUrl,
  worker = new URL('./worker.js', import.meta.url),
  taskTimeout = 60_000,
}: PortalOptions = {}): Promise<FastifyInstance> {
  const sources = findSources()
  let requests = 0
  const app = Fastify({
    logger: { level: 'warn' },
    bodyLimit: 16_384,
    ajv: { customOptions: { coerceTypes: false } },
    // The workers read all documents before the server listens; a busy machine takes its time.
    pluginTimeout: 120_000,
    requestTimeout: 30_000,
    frameworkErrors: answerError,
    clientErrorHandler: answerClientError,
  })
  closeConnectionsWhenAnswered(app)
  app.addHook('onRequest', async (_request, reply) => {
    requests++
    reply.headers(securityHeaders)
  })
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(answerMissing)

  await app.register(fastifyStatic, {
    root: assetsFolder,
    prefix: assetsRoute,
    index: false,
    immutable: true,
    maxAge: '365d',
  })
  const redis = redisUrl === undefined ? undefined : connectTo(redisUrl)
  app.addHook('onClose', async () => redis?.disconnect())
  const metrics = new Registry()
  await app.register(rendererPlugin, {
    worker,
    minThreads: threads,
    maxThreads: threads,
    taskTimeout,
    // A hundred pages at once are made one after the other; whoever is patient gets his.
    queueTimeout: 60_000,
    closeTimeout: 3000,
    slotSize: 2 ** 20,
    headers: [],
    metrics,
    cache: { build: buildName(worker, sources), ...(redis && { redis }) },
  })

  const meter = new MainThreadMeter()
  const history = new History(() => {
    const { renderMs, cache } = app.renderer.stats()
    return { requests, inWorkers: meter.cost('inWorkers'), cache, renderP50: renderMs.p50 }
  })
  app.addHook('onClose', async () => history.stop())

  const stats = (): ServerStats => ({
    server: `${hostname()}, process ${process.pid}`,
    uptimeSeconds: process.uptime(),
    requests,
    inWorkers: meter.cost('inWorkers'),
    fromCache: meter.cost('fromCache'),
    onMainThread: meter.cost('onMainThread'),
    renderer: app.renderer.stats(),
    cachedPercent: cachedPercent(app.renderer.stats().cache),
    history: history.samples,
    ...(invalidation && { invalidation: invalidation() }),
  })
  const documents = documentPaths(sources)
  const invalidation = redisUrl && (await obeyPublishers(app, connectTo(redisUrl), documents))
  const roster = redis && new Roster(redis, stats)
  app.addHook('onClose', async () => roster?.leave())

  const dashboardStats = async (server = ''): Promise<DashboardStats | undefined> => {
    const own = stats()
    const all = [own, ...((await roster?.others()) ?? [])].sort((a, b) => (a.server < b.server ? -1 : 1))
    const shown = server === '' ? own : all.find(other => other.server === server)
    return shown && { ...shown, servers: all.map(({ history, ...line }) => line) }
  }
  addPageRoutes(app, { meter, stats: dashboardStats })
  addImageRoute(app, sources.images)
  addInvalidationRoute(app, documents)
  addMetricsRoute(app, metrics)
  app.get('/api/ping', async () => ({ pong: true }))
  app.get<{ Querystring: { server?: string } }>(
    '/api/stats',
    { schema: { querystring: { type: 'object', properties: { server: { type: 'string' } } } } },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      const shown = await dashboardStats(request.query.server)
      return shown ?? reply.code(404).send({ error: 'There is no such server' })
    },
  )
  app.get('/healthz', async (_request, reply) => {
    const { count } = app.renderer.stats().workers
    return reply.code(count > 0 ? 200 : 503).send({ status: count > 0 ? 'ok' : 'no workers', workers: count })
  })
  return app
}

/** The pictures of the documents, by name: no path from a URL ever reaches the file system. */
function addImageRoute(app: FastifyInstance, images: ImageSource[]): void {
  const files = new Map(images.map(({ path, file }) => [path, file]))
  app.get<{ Params: { '*': string } }>(`${imagesRoute}*`, (request, reply) => {
    const file = files.get(request.params['*'])
    if (!file) return answerMissing(request, reply)
    // A drawing may bring styles of its own, and nothing else that is active.
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
    return reply.sendFile(basename(file), dirname(file), { maxAge: '1h' })
  })
}

const isForPrograms = (request: FastifyRequest): boolean => /^\/(api\/|healthz\b|metrics\b)/.test(request.url)

async function answerMissing(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (request.method !== 'GET' && request.method !== 'HEAD' && !isForPrograms(request)) {
    reply.header('allow', 'GET, HEAD')
    return sendErrorPage(reply, 405)
  }
  if (isForPrograms(request)) return reply.code(404).send({ error: 'There is nothing at this address' })
  return reply.renderMissing()
}

/** Visitors learn the status, the log learns the cause. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500
  const statusCode = status >= 400 && status <= 599 ? status : 500
  if (statusCode >= 500) request.log.error({ err: error, url: request.url }, 'a request failed')
  reply.headers(securityHeaders)
  if (!isForPrograms(request)) return sendErrorPage(reply, statusCode)
  const message = statusCode < 500 ? error.message : 'Something went wrong here'
  return reply.code(statusCode).send({ error: message })
}

const sendErrorPage = (reply: FastifyReply, statusCode: number): FastifyReply =>
  reply
    .code(statusCode)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(errorPage(statusCode))
