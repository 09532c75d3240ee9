import { buffer, text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { createRenderer, type Renderer, type RendererOptions } from '@scratchyjs/renderer'
import { afterEach, describe, expect, it, vi } from 'vitest'

const open: Renderer[] = []

function start(options: Partial<RendererOptions> = {}): Renderer {
  const renderer = createRenderer({
    worker: new URL('./fixtures/streams.mjs', import.meta.url),
    maxThreads: 1,
    slots: 4,
    slotSize: 65_536,
    streamBuffer: 32_768,
    ...options,
  })
  open.push(renderer)
  return renderer
}

const seen = async (renderer: Renderer) =>
  JSON.parse((await renderer.render({ route: 'seen' })).body.toString())
const idle = (renderer: Renderer) =>
  vi.waitFor(() => expect(renderer.stats()).toMatchObject({ streams: 0, workers: { active: 0 } }))

afterEach(async () => {
  await Promise.all(open.splice(0).map(renderer => renderer.close()))
})

const whole = '<h1>Zoë 🎈</h1>end'
const kinds = ['string', 'bytes', 'array', 'generator', 'readable', 'web', 'pipe', 'prelude', 'response']

describe('whatever a render returns', () => {
  it.each(kinds)('%s is the same page, buffered and streamed', async route => {
    const renderer = start()
    const page = await renderer.render({ route })
    expect(page.body.toString()).toBe(whole)
    page.release()
    const streamed = await renderer.renderStream({ route })
    expect(await text(streamed.stream)).toBe(whole)
    expect(streamed.statusCode).toBe(page.statusCode)
    expect(streamed.headers).toEqual(page.headers)
    await idle(renderer)
    expect(renderer.stats()).toMatchObject({ renders: 2, errors: 0, slots: { inUse: 0 } })
  })

  it('a Response gives its status and headers', async () => {
    const { statusCode, headers, stream } = await start().renderStream({ route: 'response' })
    expect({ statusCode, headers }).toMatchObject({
      statusCode: 203,
      headers: { 'x-kind': 'response', 'set-cookie': ['a=1', 'b=2'] },
    })
    stream.destroy()
  })

  it.each(['parts', 'svelte'])('%s becomes a document', async route => {
    const { body } = await start().render({ route })
    expect(body.toString()).toMatch(/^<!doctype html>[\s\S]*<title>t<\/title>[\s\S]*<h1>Zoë 🎈<\/h1>end/)
  })

  it('may be an empty page', async () => {
    const renderer = start()
    const { statusCode, stream } = await renderer.renderStream({ route: 'empty' })
    expect(statusCode).toBe(204)
    expect(await buffer(stream)).toHaveLength(0)
    expect((await renderer.render({ route: 'empty' })).body).toHaveLength(0)
  })

  it('I9: its head can change up to the first byte, and not afterwards', async () => {
    const renderer = start()
    const { headers, stream } = await renderer.renderStream({ route: 'late' })
    expect(headers).toEqual({ 'x-first': 'yes', 'x-second': 'yes' })
    await expect(text(stream)).rejects.toThrow(/head of the page has been sent/)
  })
})

describe('a streamed page', () => {
  it.each([1, 10, 500])(
    'I8: of %i parts that came thick and fast is all there when the render waits',
    async parts => {
      const { stream } = await start().renderStream({ route: 'bursts', props: { parts } })
      let come = ''
      stream.setEncoding('utf8').on('data', text => (come += text))
      await vi.waitFor(() => expect(come.split('\n')).toHaveLength(parts + 1))
      stream.destroy()
    },
  )

  it('comes while it is made', async () => {
    const { stream } = await start().renderStream({ route: 'slowly', props: { ms: 20, parts: 5 } })
    const times: number[] = []
    for await (const _ of stream) times.push(performance.now())
    expect(times.length).toBeGreaterThan(2)
    expect((times.at(-1) as number) - (times[0] as number)).toBeGreaterThan(50)
  })

  it('I11: comes whole, however much larger than its ring it is', async () => {
    const renderer = start()
    const { stream } = await renderer.renderStream({ route: 'slowly', props: { parts: 300, size: 40_000 } })
    const lines = (await text(stream)).split('\n')
    expect(lines).toHaveLength(301)
    lines.slice(0, -1).forEach((line, i) => {
      expect(line).toBe(`part ${i} ${'x'.repeat(40_000)}`)
    })
  })

  it('I10: goes no faster than it is read', async () => {
    const renderer = start()
    const { stream } = await renderer.renderStream({ route: 'slowly', props: { size: 8000, ms: 0 } })
    await delay(300)
    // Of an endless page there are the ring and what the stream holds, and no more.
    expect(stream.readableLength).toBeLessThanOrEqual(2 * 65_536)
    stream.destroy()
    await idle(renderer)
    expect(await seen(renderer)).toEqual({ aborted: 0, returned: 1 })
    expect(renderer.stats()).toMatchObject({ cancelled: 1, errors: 0, workers: { restarts: 0 } })
  })

  it.each(['throws-first', 'rejects-first'])('I9: that %s has no head', async route => {
    await expect(start().renderStream({ route })).rejects.toMatchObject({
      name: 'RangeError',
      message: 'at once',
      code: 'AT_ONCE',
      statusCode: 418,
    })
  })

  it('I9: that fails after its head is destroyed with the error', async () => {
    const renderer = start()
    const { stream } = await renderer.renderStream({ route: 'throws' })
    await expect(text(stream)).rejects.toMatchObject({ name: 'RangeError', code: 'HALF_WAY' })
    expect(renderer.stats()).toMatchObject({ errors: 1, renders: 0, streams: 0 })
  })

  it('with a part that is none fails', async () => {
    const { stream } = await start().renderStream({ route: 'numbers' })
    await expect(text(stream)).rejects.toMatchObject({ code: 'INVALID_PAGE', message: /42 \(number\)/ })
  })

  it.each(['stuck', 'slowly'])('I7: that does not end (%s) ends with its time', async route => {
    const renderer = start({ taskTimeout: 300 })
    const { stream } = await renderer.renderStream({ route, props: { ms: 5 } })
    await expect(text(stream)).rejects.toMatchObject({ code: 'RENDER_TIMEOUT' })
    await idle(renderer)
    expect(renderer.stats()).toMatchObject({ errors: 1, workers: { restarts: 0 } })
  })

  it('I7: whose thread ends fails alone', async () => {
    const renderer = start()
    const { stream } = await renderer.renderStream({ route: 'exits' })
    await expect(text(stream)).rejects.toMatchObject({ code: 'WORKER_CRASHED' })
    expect(await text((await renderer.renderStream({ route: 'string' })).stream)).toBe(whole)
  })

  it('I3: uses the memory of another that is over, and no byte of it', async () => {
    const renderer = start()
    for (const [i, end] of ['read', 'destroyed', 'read', 'failed', 'read'].entries()) {
      const route = end === 'failed' ? 'throws' : 'slowly'
      const { stream } = await renderer.renderStream({ route, props: { parts: 20, size: 3000 + i } })
      if (end === 'destroyed') stream.destroy()
      else if (end === 'failed') await text(stream).catch(() => {})
      else {
        const lines = (await text(stream)).trimEnd().split('\n')
        expect(lines).toEqual(Array.from({ length: 20 }, (_, n) => `part ${n} ${'x'.repeat(3000 + i)}`))
      }
      await idle(renderer)
    }
  })

  it('I8: and others on several threads come at one doorbell', async () => {
    const renderer = start({ maxThreads: 4 })
    await renderer.ready
    let pending = 0
    let most = 0
    const { waitAsync } = Atomics
    const waits = vi.spyOn(Atomics, 'waitAsync').mockImplementation((...args) => {
      const result = waitAsync(...(args as Parameters<typeof waitAsync>))
      if (result.async) {
        most = Math.max(most, ++pending)
        result.value.then(() => pending--)
      }
      return result
    })
    const pages = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const { stream } = await renderer.renderStream({
          route: 'slowly',
          props: { parts: 50, ms: 1, size: 2000 },
        })
        return text(stream)
      }),
    )
    waits.mockRestore()
    expect(new Set(pages).size).toBe(1)
    expect(most).toBe(1)
  })
})

describe('a render that nobody wants any more', () => {
  it.each(['render', 'renderStream'] as const)(
    'I6: hears of it, and its thread is kept: %s',
    async method => {
      const renderer = start({ cancelGrace: 5000 })
      await renderer.ready
      const pending = renderer[method]({ route: 'waits' }, { signal: AbortSignal.timeout(50) })
      await expect(pending).rejects.toMatchObject({ name: 'TimeoutError' })
      await idle(renderer)
      expect(await seen(renderer)).toMatchObject({ aborted: 1 })
      expect(renderer.stats()).toMatchObject({ cancelled: 1, errors: 0, workers: { restarts: 0 } })
    },
  )

  it('I6: and does not hear loses its thread after the grace', async () => {
    const renderer = start({ cancelGrace: 100 })
    await renderer.ready
    const pending = renderer.render({ route: 'deaf' }, { signal: AbortSignal.timeout(50) })
    await expect(pending).rejects.toMatchObject({ name: 'TimeoutError' })
    await idle(renderer)
    expect(renderer.stats().workers.restarts).toBe(1)
    expect((await renderer.render({ route: 'string' })).body.toString()).toBe(whole)
  })

  it('I6: keeps its thread when it is over within the grace', async () => {
    const renderer = start({ cancelGrace: 2000 })
    await renderer.ready
    await expect(renderer.render({ route: 'deaf' }, { signal: AbortSignal.timeout(50) })).rejects.toThrow()
    await idle(renderer)
    expect(renderer.stats()).toMatchObject({ workers: { restarts: 0 }, slots: { inUse: 0 } })
  })

  it('I5: leaves the queue without being rendered', async () => {
    const renderer = start()
    await renderer.ready
    const first = renderer.render({ route: 'deaf' })
    const second = renderer.render({ route: 'string' }, { signal: AbortSignal.timeout(20) })
    await expect(second).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(renderer.stats().queue.size).toBe(0)
    await first
    expect(renderer.stats()).toMatchObject({ renders: 1, cancelled: 1 })
  })

  it('I5: that waits too long for a thread is refused', async () => {
    const renderer = start({ queueTimeout: 50 })
    await renderer.ready
    const first = renderer.render({ route: 'deaf' })
    await expect(renderer.render({ route: 'string' })).rejects.toMatchObject({
      code: 'QUEUE_TIMEOUT',
      statusCode: 503,
    })
    await first
  })

  it('is refused when its signal is aborted already', async () => {
    await expect(start().render({ route: 'string' }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })
})

describe('a page that is too large', () => {
  it.each(['slowly', 'generator', 'string'])('I10: is refused before it is whole: %s', async route => {
    const renderer = start({ maxPageBytes: 12 })
    await renderer.ready
    await expect(renderer.render({ route })).rejects.toMatchObject({ code: 'PAGE_TOO_LARGE' })
    await idle(renderer)
    expect(renderer.stats().workers.restarts).toBe(0)
  })

  it('I10: is made no further', async () => {
    const renderer = start({ maxPageBytes: 100 })
    await expect(renderer.render({ route: 'slowly' })).rejects.toMatchObject({ code: 'PAGE_TOO_LARGE' })
    expect(await seen(renderer)).toEqual({ aborted: 0, returned: 1 })
  })
})
