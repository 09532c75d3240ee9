import { RendererError } from './error.js'
import { describe } from './error-transfer.js'
import type { HeaderValue } from './protocol.js'
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

/** A page before it is encoded: a string of HTML, or its UTF-8 bytes. */
export type PageBody = string | Uint8Array

/** What a worker file describes. */
export interface RendererDefinition<Env> {
  /** Runs once per thread before its first render: connections, templates, warm-up. Tried again if it throws. */
  setup?(): Env | Promise<Env>
  /** Makes one page. What it throws becomes that request's error, with name, message, stack, code, statusCode and cause. */
  render(context: RenderContext, tools: { env: Env; response: ResponseHead }): PageBody | Promise<PageBody>
  /** Runs once per thread when the renderer is closed, after the last render. */
  teardown?(env: Env): void | Promise<void>
}

/** One rendered page on the worker's side. */
export interface RenderedPage {
  body: PageBody
  statusCode?: number
  headers?: Record<string, HeaderValue>
}

/**
 * A worker file's default export. It is also a plain function from context to page, so that `fastify.runTask(context)`
 * or any Piscina pool can call it; the renderer itself moves bytes instead.
 */
export interface Renderable {
  (context: RenderContext): Promise<RenderedPage>
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

  const render = async (context: RenderContext): Promise<RenderedPage> => {
    const env = await setup()
    const response = new ResponseHeadBuilder()
    const body = await definition.render(context, { env, response })
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      throw new RendererError(
        'INVALID_PAGE',
        `render returned ${describe(body)}: a page is a string or a Uint8Array`,
      )
    }
    const { statusCode, headers } = response
    return { body, ...(statusCode && { statusCode }), ...(headers && { headers }) }
  }

  return Object.assign(render, {
    [brand]: true,
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
