import { fileURLToPath } from 'node:url'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Piscina } from 'piscina'
import { type PageProps, renderWhole } from '../bench-page.js'
import { streamByPort } from '../port-stream.js'

export interface Setting {
  files: { worker: URL; rival: URL }
  threads: number
}

/** Puts the route `/` of a way to answer with a page into a scope of its own. */
type Contender = (scope: FastifyInstance, setting: Setting) => Promise<unknown>

type PageRequest = FastifyRequest<{ Querystring: Record<string, string> }>

function propsOf({ query }: PageRequest): PageProps {
  const { bytes, ascii, made } = query
  return { bytes: Number(bytes), ascii: ascii === 'true', made: made as PageProps['made'] }
}

const html = 'text/html; charset=utf-8'

async function withRenderer(scope: FastifyInstance, { files, threads }: Setting): Promise<void> {
  await scope.register(rendererPlugin, { worker: files.worker, minThreads: threads, maxThreads: threads })
}

/** The renderer's own options for Piscina. */
function samePool(scope: FastifyInstance, { files, threads }: Setting): Piscina {
  const pool = new Piscina({
    filename: fileURLToPath(files.rival),
    minThreads: threads,
    maxThreads: threads,
    atomics: 'disabled',
    recordTiming: false,
  })
  scope.addHook('onClose', () => pool.close())
  return pool
}

const mainThread: Contender = async scope =>
  scope.get('/', (request: PageRequest, reply) => {
    reply.type(html).send(renderWhole(propsOf(request)))
  })

const strings: Contender = async (scope, setting) => {
  const pool = samePool(scope, setting)
  scope.get('/', async (request: PageRequest, reply) =>
    reply.type(html).send(await pool.run({ props: propsOf(request) })),
  )
}

/** As the plugin of that name does it: a pool with Piscina's own defaults, `runTask` on the instance, and its result sent. */
const fastifyPiscina: Contender = async (scope, { files, threads }) => {
  const pool = new Piscina({
    filename: fileURLToPath(files.rival),
    minThreads: threads,
    maxThreads: threads,
  })
  scope.addHook('onClose', () => pool.close())
  const runTask = (...args: Parameters<typeof pool.run>) => pool.run(...args)
  scope.decorate('runTask', runTask)
  scope.get('/', async (request: PageRequest, reply) =>
    reply.type(html).send(await runTask({ props: propsOf(request) })),
  )
}

const messagePort: Contender = async (scope, setting) => {
  const pool = samePool(scope, setting)
  scope.get('/', (request: PageRequest, reply) => {
    reply.type(html).send(streamByPort(pool, propsOf(request)))
  })
}

const shared: Contender = async (scope, setting) => {
  await withRenderer(scope, setting)
  scope.get('/', (request: PageRequest, reply) => reply.render({ route: '/', props: propsOf(request) }))
}

const streamed: Contender = async (scope, setting) => {
  await withRenderer(scope, setting)
  scope.get('/', (request: PageRequest, reply) => reply.renderStream({ route: '/', props: propsOf(request) }))
}

export const contenders: Record<string, Contender> = {
  'main thread': mainThread,
  strings,
  'fastify-piscina': fastifyPiscina,
  MessagePort: messagePort,
  shared,
  'shared, streamed': streamed,
}

/** Which of them send a page in parts. */
export const streaming: ReadonlySet<string> = new Set(['MessagePort', 'shared, streamed'])
