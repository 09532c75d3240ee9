import { workerData } from 'node:worker_threads'
import { type AttachedPool, attachSharedBufferPool } from '@scratchyjs/shared-buffer'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { isRenderable, type Renderable, type RenderedPage } from './define-renderer.js'
import { RendererError } from './error.js'
import { encodeError } from './error-transfer.js'
import type { HostData, LifecycleTask, RenderAnswer, RenderTask } from './protocol.js'

// The Piscina worker file. It answers every task with plain data: an error that structured clone can't carry, or a
// rejection, would end the thread.

const { worker, arena } = workerData as HostData
const pool: AttachedPool | undefined = arena && attachSharedBufferPool(arena)
const encoder = new TextEncoder()
const decoder = new TextDecoder()

const loaded: Renderable | RendererError = await load().catch(
  error =>
    new RendererError('WORKER_UNUSABLE', `The worker ${worker} can not be loaded: ${error?.message}`, error),
)
// Set up before Piscina counts this thread as ready. A failure is kept for whoever renders next, who tries again.
if (!(loaded instanceof RendererError)) await loaded.setup().catch(() => {})

async function load(): Promise<Renderable> {
  const { default: renderable } = await import(worker)
  if (!isRenderable(renderable)) throw new TypeError('its default export is not made by defineRenderer()')
  return renderable
}

export default async function host(task: RenderTask | LifecycleTask): Promise<RenderAnswer> {
  try {
    if (loaded instanceof RendererError) throw loaded
    if (task === 'setup' || task === 'teardown') {
      await loaded[task]()
      return {}
    }
    return await render(loaded, task)
  } catch (error) {
    return { error: encodeError(error) }
  }
}

async function render(renderable: Renderable, task: RenderTask): Promise<RenderAnswer> {
  const { slot, generation, contextBytes, context } = task
  if (slot === undefined || generation === undefined || !pool) {
    return byPayload(await renderable(JSON.parse(context as string)))
  }
  const claim = pool.claim(slot, generation)
  if (!claim) throw new Error(`Slot ${slot} was taken back before the render began`)
  try {
    const { data } = claim.mailbox
    const json = context ?? decoder.decode(data.subarray(0, contextBytes))
    const page = await renderable(JSON.parse(json))
    const pageBytes = encodeInto(data, page.body)
    return pageBytes === undefined ? byPayload(page) : { ...head(page), pageBytes }
  } finally {
    claim.finish()
  }
}

/** How many bytes the page has, now that it is in the slot; `undefined` when it doesn't fit. */
function encodeInto(data: Uint8Array, body: string | Uint8Array): number | undefined {
  if (body.length > data.length) return undefined
  if (typeof body !== 'string') {
    data.set(body)
    return body.length
  }
  const { read, written } = encoder.encodeInto(body, data)
  return read === body.length ? written : undefined
}

/** The page's bytes in the answer itself: moved, not copied, and still no string on the main thread. */
function byPayload(page: RenderedPage): RenderAnswer {
  const bytes = typeof page.body === 'string' ? encoder.encode(page.body) : Uint8Array.from(page.body)
  const answer: RenderAnswer = { ...head(page), page: bytes }
  return move({
    get [transferableSymbol]() {
      return bytes.buffer
    },
    get [valueSymbol]() {
      return answer
    },
  }) as unknown as RenderAnswer
}

function head({ statusCode, headers }: RenderedPage): Pick<RenderedPage, 'statusCode' | 'headers'> {
  return { ...(statusCode && { statusCode }), ...(headers && { headers: { ...headers } }) }
}
