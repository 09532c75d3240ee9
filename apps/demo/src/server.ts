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
import { assetsFolder, assetsRoute } from './assets.js'
import { answerClientError } from './client-error.js'
import { closeConnectionsWhenAnswered } from './close-connections.js'
import { errorPage } from './error-page.js'
import { History } from './history.js'
import { MainThreadMeter } from './main-thread-meter.js'
import { addPageRoutes } from './page-routes.js'
import { documentPaths, findSources, type ImageSource } from './sources.js'
import type { ServerStats } from './stats.js'

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
  /** Shares invalidations with every server that uses the same Redis. */
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
  taskTimeout = 15_000,
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
  const invalidation = redisUrl
    ? await (await import('./invalidation.js')).addInvalidation(app, redisUrl, documentPaths(sources))
    : undefined
  await app.register(rendererPlugin, {
    worker,
    minThreads: threads,
    maxThreads: threads,
    taskTimeout,
    closeTimeout: 3000,
    slotSize: 2 ** 20,
    headers: [],
  })

  const meter = new MainThreadMeter()
  const history = new History(() => {
    const { renderMs, slots } = app.renderer.stats()
    return { requests, inWorkers: meter.cost('inWorkers'), renderP50: renderMs.p50, slotsInUse: slots.inUse }
  })
  app.addHook('onClose', async () => history.stop())

  const stats = (): ServerStats => ({
    server: `${hostname()}, process ${process.pid}`,
    uptimeSeconds: process.uptime(),
    requests,
    inWorkers: meter.cost('inWorkers'),
    onMainThread: meter.cost('onMainThread'),
    renderer: app.renderer.stats(),
    history: history.samples,
    ...(invalidation && { invalidation: invalidation.stats() }),
  })

  addPageRoutes(app, { meter, stats, revisions: () => invalidation?.revisions() ?? {} })
  addImageRoute(app, sources.images)
  app.get('/api/ping', async () => ({ pong: true }))
  app.get('/api/stats', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return stats()
  })
  app.get('/healthz', async (_request, reply) => {
    const { count } = app.renderer.stats().workers
    return reply.code(count > 0 ? 200 : 503).send({ status: count > 0 ? 'ok' : 'no workers', workers: count })
  })
  return app
}

/** The pictures of the documents, by name: no path from a URL ever reaches the file system. */
function addImageRoute(app: FastifyInstance, images: ImageSource[]): void {
  const files = new Map(images.map(({ path, file }) => [path, file]))
  app.get<{ Params: { '*': string } }>('/files/*', (request, reply) => {
    const file = files.get(request.params['*'])
    if (!file) return answerMissing(request, reply)
    // A drawing may bring styles of its own, and nothing else that is active.
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox")
    return reply.sendFile(basename(file), dirname(file), { maxAge: '1h' })
  })
}

const isForPrograms = (request: FastifyRequest): boolean => /^\/(api\/|healthz\b)/.test(request.url)

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
