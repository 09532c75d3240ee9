import { RendererError } from './error.js'
import { describe } from './error-transfer.js'
import { collectPage } from './page-collector.js'
import { openPage, type PageBody, type PageChunk, type PageChunks } from './page-source.js'
import type { PageHead } from './protocol.js'
import { RenderSignal } from './render-signal.js'
import { type ResponseHead, ResponseHeadBuilder } from './response-head.js'

/** What `render` gets: plain data, as it came out of JSON. */
export interface RenderContext {
  route: string
  // biome-ignore lint/suspicious/noExplicitAny: props are whatever the application put in
  props?: any
  /** The request's headers that the renderer was told to hand over. */
  headers?: Record<string, string>
  nonce?: string
  [key: string]: unknown
}

/** What `render` gets beside the context. */
export interface RenderTools<Env> {
  /** What `setup` answered. */
  env: Env
  response: ResponseHead
  /**
   * Aborted when nobody wants the page any more: its client has gone, or its time is up. A render that goes on for
   * longer than `cancelGrace` then loses its thread. Listening costs a few microseconds; code that never awaits hears nothing.
   */
  readonly signal: AbortSignal
}

/** What a worker file describes. */
export interface RendererDefinition<Env> {
  /** Runs once per thread before its first render: connections, templates, warm-up. Tried again if it throws. */
  setup?(): Env | Promise<Env>
  /** Makes one page. What it throws becomes that request's error, with name, message, stack, code, statusCode and cause. */
  render(context: RenderContext, tools: RenderTools<Env>): PageBody | Promise<PageBody>
  /** Runs once per thread when the renderer is closed, after the last render. */
  teardown?(env: Env): void | Promise<void>
}

/** One rendered page on the worker's side. */
export interface RenderedPage extends PageHead {
  body: PageChunk
}

/** A page that was begun: its parts may be still to come, and its head to change. */
interface BegunPage {
  page: PageChunk | PageChunks
  head: ResponseHeadBuilder
}

/**
 * A worker file's default export. It is also a plain function from context to page, so that `fastify.runTask(context)`
 * or any Piscina pool can call it; the renderer itself moves bytes instead.
 */
export interface Renderable {
  (context: RenderContext): Promise<RenderedPage>
  begin(context: RenderContext, cancelled: RenderSignal): Promise<BegunPage>
  setup(): Promise<void>
  teardown(): Promise<void>
}

const brand = Symbol.for('@scratchyjs/renderer/renderable')

/**
 * Describes how pages are made; the default export of a worker file.
 *
 * @throws TypeError when `render` is no function
 */
export function defineRenderer<Env = undefined>(definition: RendererDefinition<Env>): Renderable {
  for (const name of ['setup', 'render', 'teardown'] as const) {
    const member = definition?.[name]
    if (typeof member !== 'function' && (name === 'render' || member !== undefined)) {
      throw new TypeError(`defineRenderer: \`${name}\` must be a function, and is ${describe(member)}`)
    }
  }
  let environment: Promise<Env> | undefined

  const setup = (): Promise<Env> => {
    environment ??= (async () => (await definition.setup?.()) as Env)().catch(error => {
      environment = undefined
      throw new RendererError(
        'WORKER_UNUSABLE',
        `The worker's setup failed: ${error?.message ?? describe(error)}`,
        error,
      )
    })
    return environment
  }

  const begin = async (context: RenderContext, cancelled: RenderSignal): Promise<BegunPage> => {
    const env = await setup()
    const head = new ResponseHeadBuilder()
    const tools = {
      env,
      response: head,
      get signal() {
        return cancelled.signal
      },
    }
    return { page: openPage(await definition.render(context, tools), head), head }
  }

  const render = async (context: RenderContext): Promise<RenderedPage> => {
    const never = new RenderSignal()
    const { page, head } = await begin(context, never)
    const body = await collectPage(page, never, Number.POSITIVE_INFINITY)
    return { body, ...head.send() }
  }

  return Object.assign(render, {
    [brand]: true,
    begin,
    async setup() {
      await setup()
    },
    async teardown() {
      const ending = environment
      environment = undefined
      if (ending) await definition.teardown?.(await ending)
    },
  })
}

/** Whether a module's default export came from `defineRenderer`, even of another copy of this package. */
export function isRenderable(value: unknown): value is Renderable {
  return typeof value === 'function' && brand in value
}
