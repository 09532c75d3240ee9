import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createRenderer, type Page, type Renderer, type RendererOptions } from '@scratchyjs/renderer'
import { afterEach, describe, expect, it, vi } from 'vitest'

const fixture = (name: string) => new URL(`./fixtures/${name}.mjs`, import.meta.url)
const open: Renderer[] = []

function start(options: Partial<RendererOptions> = {}): Renderer {
  const renderer = createRenderer({
    worker: fixture('worker'),
    maxThreads: 1,
    slots: 4,
    slotSize: 65_536,
    ...options,
  })
  open.push(renderer)
  return renderer
}

const textOf = (page: Page) => {
  const text = page.body.toString()
  page.release()
  return text
}
const hello = async (renderer: Renderer, name = 'you') =>
  expect(textOf(await renderer.render({ route: 'hello', props: { name } }))).toBe(`<h1>Hello ${name}</h1>`)

afterEach(async () => {
  await Promise.all(open.splice(0).map(renderer => renderer.close()))
})

describe('a page', () => {
  it('I1: comes back as bytes in shared memory, and its slot is free after release()', async () => {
    const renderer = start()
    const page = await renderer.render({ route: 'hello', props: { name: 'Zoë 🎈' } })
    expect(page.body.toString()).toBe('<h1>Hello Zoë 🎈</h1>')
    expect(page.body.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(page).toMatchObject({ statusCode: 200, headers: {} })
    expect(renderer.stats().slots.inUse).toBe(1)
    page.release()
    page.release()
    expect(renderer.stats()).toMatchObject({
      renders: 1,
      errors: 0,
      slots: { total: 4, inUse: 0, highWater: 1, quarantined: 0 },
      transport: { shared: 1, payload: 0 },
      workers: { count: 1, active: 0, restarts: 0 },
    })
  })

  it('may be bytes', async () => {
    expect(textOf(await start().render({ route: 'bytes', props: { text: 'żółw' } }))).toBe('żółw')
  })

  it('carries the status and headers that render set', async () => {
    const page = await start().render({ route: 'head' })
    expect(page.statusCode).toBe(201)
    expect(page.headers).toEqual({ 'x-rendered-by': 'worker', 'set-cookie': ['a=1', 'b=2'] })
    page.release()
  })

  it('is made with an environment that each thread sets up once', async () => {
    const renderer = start({ maxThreads: 2 })
    await renderer.ready
    const both = await Promise.all([0, 1].map(() => renderer.render({ route: 'env' })))
    for (const page of both) expect(JSON.parse(textOf(page))).toMatchObject({ setups: 1 })
  })

  it('I11: is made from what JSON keeps of the context, on every path alike', async () => {
    const context = { route: 'context', props: { at: new Date(0), none: undefined, text: 'é' } }
    const expected = JSON.stringify(context)
    const shared = start()
    const payload = start({ transport: 'payload' })
    expect(textOf(await shared.render(context))).toBe(expected)
    expect(textOf(await payload.render(context))).toBe(expected)
    expect(payload.stats()).toMatchObject({ slots: { total: 0 }, transport: { shared: 0, payload: 1 } })
  })
})

describe('I11: when shared memory does not do, the task carries', () => {
  it.each([
    ['a context larger than a slot', { text: 'x'.repeat(70_000), times: 0 }],
    ['a context of which only the bytes are too many', { text: 'é'.repeat(40_000), times: 0 }],
    ['a page larger than a slot', { text: 'x', times: 70_000 }],
    ['a page of which only the bytes are too many', { text: 'é', times: 40_000 }],
  ])('%s', async (_, props) => {
    const renderer = start()
    const page = await renderer.render({ route: 'page', props })
    expect(textOf(page)).toContain(`<p>${props.text.repeat(props.times)}</p>`)
    expect(renderer.stats()).toMatchObject({ transport: { shared: 0, payload: 1 }, slots: { inUse: 0 } })
  })

  it('a page of bytes larger than a slot', async () => {
    const text = 'x'.repeat(65_537)
    const renderer = start()
    expect(textOf(await renderer.render({ route: 'bytes', props: { text } }))).toBe(text)
    expect(renderer.stats()).toMatchObject({ transport: { shared: 0, payload: 1 }, slots: { inUse: 0 } })
  })

  it('a page for which no slot is free', async () => {
    const renderer = start({ slots: 1 })
    const held = await renderer.render({ route: 'hello', props: { name: 'first' } })
    await hello(renderer, 'second')
    expect(textOf(held)).toBe('<h1>Hello first</h1>')
    expect(renderer.stats().transport).toEqual({ shared: 1, payload: 1, redis: 0 })
  })
})

it('I11: a slot that was taken back meanwhile is left alone', async () => {
  const renderer = start()
  const page = await renderer.render({ route: 'hello', props: { name: 'first' } })
  const task = { ticket: 1024, slot: 0, contextBytes: 2 }
  for (const generation of [0, 2]) {
    const { error } = await renderer.piscina.run({ ...task, generation })
    expect(error.message).toBe('Slot 0 was taken back before the render began')
  }
  expect(textOf(page)).toBe('<h1>Hello first</h1>')
})

describe('a render that fails', () => {
  it("I12: keeps the error's name, message, stack, code, statusCode and cause", async () => {
    const error = await start()
      .render({ route: 'throw' })
      .catch(error => error)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'TypeError',
      message: 'no such article',
      code: 'NO_ARTICLE',
      statusCode: 404,
    })
    expect(error.stack).toContain('worker.mjs')
    expect(error.cause).toMatchObject({ name: 'RangeError', message: 'id 7' })
  })

  it.each([
    ['undefined', 'INVALID_PAGE', 'render returned undefined'],
    ['number', 'INVALID_PAGE', 'render returned 42 (number)'],
    ['function', 'INVALID_PAGE', 'render returned a function'],
    ['symbol', 'INVALID_PAGE', 'render returned Symbol(page) (symbol)'],
    ['object', 'INVALID_PAGE', 'render returned Object'],
    ['throw-string', undefined, 'thrown: just text'],
    ['throw-odd', undefined, 'thrown: Object'],
    ['bad-header', 'ERR_INVALID_CHAR', 'Invalid character'],
    ['server-header', undefined, 'Cannot set the header "Content-Length"'],
    ['bad-status', undefined, 'Cannot set status 99'],
    ['no-such-route', undefined, 'is not a function'],
  ])('I12: by way of %s says so, and the thread goes on', async (route, code, message) => {
    const renderer = start()
    const error = await renderer.render({ route }).catch(error => error)
    expect(error.message).toContain(message)
    expect(error.code).toBe(code)
    await hello(renderer)
    expect(renderer.stats()).toMatchObject({ errors: 1, workers: { restarts: 0 }, slots: { inUse: 0 } })
  })

  it('takes the context that JSON can not hold no further than the caller', async () => {
    const renderer = start()
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    await expect(renderer.render({ route: 'hello', props: cycle })).rejects.toThrow(TypeError)
    await expect(renderer.render({ route: 'hello', props: 1n })).rejects.toThrow(/nothing that JSON can hold/)
    await expect(renderer.render('hello' as never)).rejects.toThrow(
      'the context must be an object, and is hello',
    )
    expect(renderer.stats().slots.highWater).toBe(0)
  })
})

// With a young generation as large as V8 likes one collection can overshoot the limit so far that it aborts the process.
const heap = { maxOldGenerationSizeMb: 40, maxYoungGenerationSizeMb: 4 }

describe('a thread that dies', () => {
  it.each(['exit', 'stray', 'memory'])(
    'I7: by %s fails its own render alone and is replaced',
    async route => {
      const renderer = start({ maxThreads: 2, resourceLimits: heap })
      await renderer.ready
      const neighbour = renderer.render({ route: 'later', props: { ms: 200 } })
      await expect(renderer.render({ route })).rejects.toMatchObject({
        code: 'WORKER_CRASHED',
        statusCode: 500,
      })
      expect(textOf(await neighbour)).toBe('later 200')
      for (let i = 0; i < 4; i++) await hello(renderer)
      expect(renderer.stats()).toMatchObject({
        errors: 1,
        workers: { restarts: 1 },
        slots: { inUse: 0, quarantined: 0 },
      })
    },
  )

  it('while idle is replaced and reported', async () => {
    const onWorkerError = vi.fn()
    const renderer = start({ onWorkerError })
    await renderer.ready
    expect(textOf(await renderer.render({ route: 'stray-after' }))).toBe('fine')
    await vi.waitFor(() => expect(onWorkerError).toHaveBeenCalled())
    expect(onWorkerError.mock.calls[0]?.[0]).toMatchObject({ message: 'stray rejection afterwards' })
    await hello(renderer)
    expect(renderer.stats().workers).toMatchObject({ count: 1, restarts: 1 })
  })
})

describe('a thread that idles', () => {
  it('goes on with its timers and sockets', async () => {
    const renderer = start()
    const ticks = async () => Number(textOf(await renderer.render({ route: 'ticks' })))
    const before = await ticks()
    await delay(200)
    expect(await ticks()).toBeGreaterThan(before + 5)
  })
})

describe('a render that hangs', () => {
  it.each(['never', 'loop'])('I7: by %s times out alone, and its thread is replaced', async route => {
    const renderer = start({ maxThreads: 2, taskTimeout: 1000, cancelGrace: 100 })
    await renderer.ready
    const hanging = renderer.render({ route }).catch(error => error)
    await hello(renderer)
    expect(await hanging).toMatchObject({ code: 'RENDER_TIMEOUT', statusCode: 504 })
    await Promise.all([hello(renderer, 'a'), hello(renderer, 'b')])
    await vi.waitFor(() => expect(renderer.stats().slots).toMatchObject({ inUse: 0, quarantined: 0 }))
    expect(renderer.stats().workers).toMatchObject({ count: 2, restarts: 1 })
  })

  it('I2: in native code keeps its slot out of use until its thread has really ended', async () => {
    const renderer = start({ slots: 1, taskTimeout: 200, cancelGrace: 20 })
    await renderer.ready
    await expect(renderer.render({ route: 'native' })).rejects.toMatchObject({ code: 'RENDER_TIMEOUT' })
    await vi.waitFor(() => expect(renderer.stats().slots).toMatchObject({ inUse: 0, quarantined: 1 }))
    await vi.waitFor(() => expect(renderer.stats().slots.quarantined).toBe(0), 15_000)
    await hello(renderer)
    expect(renderer.stats().transport).toEqual({ shared: 1, payload: 0, redis: 0 })
  }, 20_000)

  it('I4: gets its whole time, however long it has waited for a thread', async () => {
    const renderer = start({ taskTimeout: 1000 })
    await renderer.ready
    const all = await Promise.all(
      [0, 1, 2].map(() => renderer.render({ route: 'later', props: { ms: 600 } })),
    )
    expect(all.map(textOf)).toEqual(['later 600', 'later 600', 'later 600'])
    const { queue, renderMs } = renderer.stats()
    expect(queue.waitMs).toBeGreaterThan(1000)
    expect(renderMs.p99).toBeLessThan(queue.waitMs)
  })

  it('I4: gets its whole time, however long its thread has taken to be set up', async () => {
    const renderer = start({ worker: fixture('slow-setup'), taskTimeout: 300 })
    expect(textOf(await renderer.render({ route: '/' }))).toBe('set up')
  })

  it('I4: gets it too when its thread starts in the place of a killed one, and no more', async () => {
    const renderer = start({ worker: fixture('slow-setup'), taskTimeout: 300, cancelGrace: 20 })
    const slow = () => renderer.render({ route: '/', props: { ms: 500 } })
    await expect(slow()).rejects.toMatchObject({ code: 'RENDER_TIMEOUT' })
    expect(textOf(await renderer.render({ route: '/' }))).toBe('set up')
    await expect(slow()).rejects.toMatchObject({ code: 'RENDER_TIMEOUT' })
    const began = performance.now()
    await expect(slow()).rejects.toMatchObject({ code: 'RENDER_TIMEOUT' })
    expect(performance.now() - began).toBeGreaterThan(800 + 300) // the setup, and its time
    expect(renderer.stats()).toMatchObject({ renders: 1, errors: 3 })
  })

  it('waits for a thread that does not start for no longer than in the queue', async () => {
    const options = { taskTimeout: 100, queueTimeout: 200, cancelGrace: 20 }
    const renderer = start({ worker: fixture('slow-setup'), ...options })
    await renderer.ready
    const killed = renderer.render({ route: '/', props: { ms: 500 } })
    await expect(killed).rejects.toMatchObject({ code: 'RENDER_TIMEOUT' })
    const late = renderer.render({ route: '/' })
    await expect(late).rejects.toMatchObject({ code: 'QUEUE_TIMEOUT', statusCode: 503 })
  })
})

describe('many renders at once', () => {
  it('I11: come back whole, right and different, each its own', async () => {
    const renderer = start({ maxThreads: 2, slots: 3 })
    const pages = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const page = await renderer.render({
          route: 'page',
          props: { text: `<${i} żółw>`, times: 1 + (i % 50) },
        })
        return textOf(page)
      }),
    )
    pages.forEach((page, i) => {
      expect(page).toContain(`<p>${`<${i} żółw>`.repeat(1 + (i % 50))}</p>`)
    })
    expect(renderer.stats()).toMatchObject({ renders: 200, errors: 0, slots: { inUse: 0 } })
  })

  it('I5: more than maxQueue allows are refused, and the others served', async () => {
    const renderer = start({ maxQueue: 2 })
    await renderer.ready
    const results = await Promise.allSettled(
      [1, 2, 3, 4, 5].map(() => renderer.render({ route: 'later', props: { ms: 50 } })),
    )
    expect(results.map(result => result.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ])
    expect(results[4]).toMatchObject({ reason: { code: 'QUEUE_FULL', statusCode: 503 } })
    for (const result of results) if (result.status === 'fulfilled') result.value.release()
  })
})

describe('a worker file', () => {
  it.each([
    ['no-default', 'its default export is not made by defineRenderer()'],
    ['throws-on-import', 'broken at import'],
  ])('I7: that is %s is reported by `ready` and by every render', async (name, message) => {
    const renderer = start({ worker: fixture(name) })
    await expect(renderer.ready).rejects.toMatchObject({
      code: 'WORKER_UNUSABLE',
      message: expect.stringContaining(message),
    })
    await expect(renderer.render({ route: '/' })).rejects.toThrow(message)
  })

  it('I7: that ends its thread while it is loaded fails `ready`, and the next render has a thread all the same', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'scratchy-renderer-'))
    vi.stubEnv('FIRST_IMPORT', join(dir, 'imported'))
    const renderer = start({ worker: fixture('exits-on-first-import') })
    await expect(renderer.ready).rejects.toMatchObject({
      code: 'WORKER_UNUSABLE',
      message: expect.stringContaining('exited with code'),
    })
    expect(textOf(await renderer.render({ route: '/' }))).toBe('here')
    vi.unstubAllEnvs()
    await rm(dir, { recursive: true })
  })

  it('whose setup throws is set up again for the next render', async () => {
    const renderer = start({ worker: fixture('setup-fails-once') })
    expect(textOf(await renderer.render({ route: '/' }))).toBe('attempt 2 object')
  })

  it.each([
    [{ worker: './worker.js' }, /worker must be a file: URL or an absolute path/],
    [{ worker: new URL('https://example.org/worker.js') }, /worker must be a file: URL/],
    [{ worker: fixture('missing') }, /there is no file .*missing\.mjs/],
    [{ minThreads: 3, maxThreads: 2 }, /minThreads is 3, more than maxThreads, which is 2/],
    [{ maxThreads: 0 }, /maxThreads must be an integer from 1 to 1024, and is 0/],
    [{ slotSize: 0 }, /slotSize must be an integer/],
    [{ slots: 1.5 }, /slots must be an integer from 1 to 65536, and is 1.5/],
    [{ taskTimeout: Number.NaN }, /taskTimeout must be an integer/],
    [
      { transport: 'pigeon' as never },
      /transport must be 'shared', 'payload', 'redis' or 'auto', and is pigeon/,
    ],
    [{ onWorkerError: 1 as never }, /onWorkerError must be a function/],
  ])('or option that can not be is refused at once: %o', (options, message) => {
    expect(() => start(options)).toThrow(message)
  })
})

describe('runTask', () => {
  it("runs the worker file's exports, and other files, with plain arguments and results", async () => {
    const renderer = start()
    expect(await renderer.runTask(21, { name: 'double' })).toBe(42)
    expect(await renderer.runTask({ route: 'hello', props: { name: 'raw' } })).toEqual({
      body: '<h1>Hello raw</h1>',
    })
    await expect(renderer.runTask(1, { name: 'missing' })).rejects.toThrow(/No handler function/)
    await hello(renderer)
  })
})

describe('close()', () => {
  it('I13: lets renders under way finish, tears every thread down, and refuses new ones', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'scratchy-renderer-'))
    const log = join(dir, 'log')
    vi.stubEnv('TEARDOWN_LOG', log)
    const renderer = start({ worker: fixture('teardown'), maxThreads: 2 })
    await renderer.ready
    const underWay = Promise.all([100, 100, 100].map(ms => renderer.render({ route: '/', props: { ms } })))
    const closed = renderer.close()
    await expect(renderer.render({ route: '/' })).rejects.toMatchObject({
      code: 'RENDERER_CLOSED',
      statusCode: 503,
    })
    expect((await underWay).map(textOf)).toEqual(['done', 'done', 'done'])
    await closed
    expect(renderer.close()).toBeInstanceOf(Promise)
    expect(await readFile(log, 'utf8')).toBe('torn down\ntorn down\n')
    expect(renderer.stats().workers.count).toBe(0)
    vi.unstubAllEnvs()
    await rm(dir, { recursive: true })
  })

  it('I13: waits for a thread that is starting, and tears it down', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'scratchy-renderer-'))
    const log = join(dir, 'log')
    vi.stubEnv('TEARDOWN_LOG', log)
    const renderer = start({ worker: fixture('teardown'), minThreads: 3, maxThreads: 3 })
    await renderer.ready
    vi.stubEnv('SETUP_MS', '400')
    const exit = () => renderer.render({ route: '/', props: { exit: true } })
    const exits = await Promise.allSettled([exit(), exit()])
    expect(exits.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect([renderer.piscina.idleThreads, renderer.stats().workers.count]).toEqual([1, 3])
    await renderer.close()
    expect(await readFile(log, 'utf8')).toBe('torn down\n'.repeat(3))
    vi.unstubAllEnvs()
    await rm(dir, { recursive: true })
  })

  it('I13: ends what does not end by itself after closeTimeout', async () => {
    const renderer = start({ closeTimeout: 200 })
    await renderer.ready
    const stuck = renderer.render({ route: 'loop' }).catch(error => error)
    const waiting = renderer.render({ route: 'hello' }).catch(error => error)
    await delay(50)
    await renderer.close()
    expect(await stuck).toMatchObject({ code: 'RENDERER_CLOSED' })
    expect(await waiting).toMatchObject({ code: 'RENDERER_CLOSED' })
  })
})
