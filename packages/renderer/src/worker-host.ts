import { parentPort, threadId, workerData } from 'node:worker_threads'
import { RingWriter } from '@scratchyjs/ring-buffer'
import { type AttachedPool, attachSharedBufferPool } from '@scratchyjs/shared-buffer'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import type { ContextReceiver } from './context-receiver.js'
import { ControlWords } from './control-words.js'
import { isRenderable, type Renderable, type RenderContext } from './define-renderer.js'
import { RendererError } from './error.js'
import { encodeError } from './error-transfer.js'
import { collectPage, readPage } from './page-collector.js'
import type { PageChunk } from './page-source.js'
import {
  CONTEXT_LOST,
  type HostData,
  type LifecycleTask,
  type PageHead,
  type RenderAnswer,
  type RenderTask,
  type RetiringMessage,
} from './protocol.js'
import { RenderSignal } from './render-signal.js'
import { StreamSink } from './stream-sink.js'
import { ThreadAge } from './thread-age.js'

// The Piscina worker file. It answers every task with plain data: an error that structured clone can't carry, or a
// rejection, would end the thread.

const { worker, arena, control, maxPageBytes, recycle, redis } = workerData as HostData
const pool: AttachedPool | undefined = arena && attachSharedBufferPool(arena)
const words = new ControlWords(control)
const age = new ThreadAge(recycle)
const encoder = new TextEncoder()
const decoder = new TextDecoder()
let receiver: ContextReceiver | undefined
if (redis) receiver = (await import('./context-receiver.js')).createContextReceiver(redis)

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
  if (task !== 'setup' && task !== 'teardown') {
    const answer = await answerTo(task)
    return age.isSpent() ? retire(task.ticket, answer) : moving(answer)
  }
  try {
    if (loaded instanceof RendererError) throw loaded
    await loaded[task]()
    return {}
  } catch (error) {
    return { error: encodeError(error) }
  } finally {
    if (task === 'teardown') receiver?.close()
  }
}

async function answerTo(task: RenderTask): Promise<RenderAnswer> {
  words.began(task.ticket)
  const cancelled = new RenderSignal(words, task.ticket)
  try {
    if (loaded instanceof RendererError) throw loaded
    return await (task.lane ? stream(loaded, task, task.lane, cancelled) : render(loaded, task, cancelled))
  } catch (error) {
    return { error: encodeError(error) }
  } finally {
    cancelled.end()
  }
}

/** Answers, tears the thread down, and waits for its end. */
async function retire(ticket: number, answer: RenderAnswer): Promise<never> {
  const { page } = answer as { page?: Uint8Array<ArrayBuffer> }
  const message: RetiringMessage = { retiring: ticket, answer, threadId }
  parentPort?.postMessage(message, page ? [page.buffer] : [])
  if (!(loaded instanceof RendererError)) await loaded.teardown().catch(() => {})
  receiver?.close()
  parentPort?.postMessage({ retiring: ticket } satisfies RetiringMessage)
  return new Promise(() => {})
}

async function render(
  renderable: Renderable,
  task: RenderTask,
  cancelled: RenderSignal,
): Promise<RenderAnswer> {
  const claim = claimSlot(task)
  try {
    const coming = contextOf(task, claim?.mailbox.data)
    // Without a promise where there is none: it would cost each render a turn.
    const context = coming instanceof Promise ? await coming : coming
    if (!context) return CONTEXT_LOST
    const { page, head } = await renderable.begin(context, cancelled)
    const body = await collectPage(page, cancelled, maxPageBytes)
    const pageBytes = claim && encodeInto(claim.mailbox.data, body)
    return pageBytes === undefined ? byPayload(body, head.send()) : { ...head.send(), pageBytes }
  } finally {
    claim?.finish()
  }
}

async function stream(
  renderable: Renderable,
  task: RenderTask,
  lane: SharedArrayBuffer,
  cancelled: RenderSignal,
): Promise<RenderAnswer> {
  const claim = claimSlot(task)
  let context: RenderContext | undefined
  try {
    context = await contextOf(task, claim?.mailbox.data)
  } finally {
    claim?.finish()
  }
  if (!context) return CONTEXT_LOST
  const { page, head } = await renderable.begin(context, cancelled)
  const sink = new StreamSink(new RingWriter(lane), words, () => head.send())
  try {
    if (typeof page === 'string' || page instanceof Uint8Array) await sink.write(page)
    else await readPage(page, cancelled, part => sink.write(part))
    await sink.end()
    return {}
  } catch (error) {
    sink.fail(error)
    throw error
  }
}

function claimSlot({ slot, generation }: RenderTask) {
  if (slot === undefined || generation === undefined || !pool) return undefined
  const claim = pool.claim(slot, generation)
  if (!claim) throw new Error(`Slot ${slot} was taken back before the render began`)
  return claim
}

/** `undefined` when Redis doesn't give it. */
function contextOf(
  { context, contextBytes, requestId }: RenderTask,
  data: Uint8Array | undefined,
): RenderContext | undefined | Promise<RenderContext | undefined> {
  if (requestId !== undefined) return fromRedis(requestId)
  return JSON.parse(context ?? decoder.decode(data?.subarray(0, contextBytes)))
}

async function fromRedis(requestId: string): Promise<RenderContext | undefined> {
  const json = await receiver?.receive(requestId)
  return json === undefined ? undefined : JSON.parse(json)
}

/** How many bytes the page has, now that it is in the slot; `undefined` when it doesn't fit. */
function encodeInto(data: Uint8Array, body: PageChunk): number | undefined {
  if (body.length > data.length) return undefined
  if (typeof body !== 'string') {
    data.set(body)
    return body.length
  }
  const { read, written } = encoder.encodeInto(body, data)
  return read === body.length ? written : undefined
}

/** The page's bytes in the answer itself, and still no string on the main thread. */
function byPayload(body: PageChunk, head: PageHead): RenderAnswer {
  return { ...head, page: typeof body === 'string' ? encoder.encode(body) : Uint8Array.from(body) }
}

/** An answer as Piscina takes it whose page is moved, not copied. */
function moving(answer: RenderAnswer): RenderAnswer {
  const { page } = answer as { page?: Uint8Array }
  if (!page) return answer
  return move({
    get [transferableSymbol]() {
      return page.buffer
    },
    get [valueSymbol]() {
      return answer
    },
  }) as unknown as RenderAnswer
}
