import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import rendererPlugin from '@scratchyjs/renderer/plugin'
import Fastify, { type FastifyInstance } from 'fastify'
import { compile } from 'svelte/compiler'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

const here = new URL('./', import.meta.url)
const linesOfAPage = 2000

/** What becomes of a page whose last part fails: it ends without that part, or the page fails. */
type Late = 'ends' | 'fails'
/** An API, and what it does with a last part that fails; nothing for those that know no late parts. */
type Api = readonly [route: string, late?: Late]

const frameworks: Record<string, readonly Api[]> = {
  react: [['pipeable', 'ends'], ['readable', 'ends'], ['prerender', 'ends'], ['string']],
  preact: [['pipeable', 'ends'], ['readable', 'ends'], ['async', 'fails'], ['string']],
  vue: [
    ['string', 'fails'],
    ['node', 'fails'],
    ['web', 'fails'],
    ['piped', 'fails'],
  ],
  solid: [['streamed', 'ends'], ['async', 'ends'], ['thenable', 'ends'], ['string']],
  svelte: [['render']],
}

/** The worker as a bundler leaves it, beside its compiled component. */
async function compiledSvelte(folder: string): Promise<URL> {
  const component = compile(await readFile(new URL('App.svelte', here), 'utf8'), { generate: 'server' })
  await writeFile(`${folder}/App.svelte.js`, component.js.code)
  await copyFile(new URL('late.mjs', here), `${folder}/late.mjs`)
  const worker = await readFile(new URL('svelte.mjs', here), 'utf8')
  await writeFile(`${folder}/svelte.mjs`, worker.replace('./App.svelte', './App.svelte.js'))
  return pathToFileURL(`${folder}/svelte.mjs`)
}

async function serve(worker: URL): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(rendererPlugin, {
    worker,
    maxThreads: 1,
    slots: 4,
    slotSize: 65_536,
    streamBuffer: 32_768,
    cancelGrace: 1000,
    taskTimeout: 5000,
  })
  app.get<{ Params: { how: 'render' | 'renderStream'; route: string; end: string } }>(
    '/:how/:route/:end',
    ({ params: { how, route, end } }, reply) => reply[how]({ route, props: { end } }),
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}

/** Preact and Solid number what they stream through the life of a thread. */
const unnumbered = (page: string) => page.replace(/data-target="\d+"|\$s:\d+/g, 'N')

describe.each(Object.entries(frameworks))('%s', (name, apis) => {
  let app: FastifyInstance
  let folder: string
  const request = async (path: string): Promise<IncomingMessage> => {
    const { port } = app.server.address() as { port: number }
    const [response] = await once(get({ host: '127.0.0.1', port, path, agent: false }), 'response')
    return response
  }
  const page = async (path: string) => {
    const response = await request(path)
    return { status: response.statusCode, body: await text(response) }
  }
  const idle = () =>
    vi.waitFor(() => {
      expect(app.renderer.stats()).toMatchObject({
        streams: 0,
        slots: { inUse: 0 },
        workers: { active: 0, restarts: 0 },
      })
    })

  beforeAll(async () => {
    folder = await mkdtemp(fileURLToPath(new URL('svelte-', here)))
    app = await serve(name === 'svelte' ? await compiledSvelte(folder) : new URL(`${name}.mjs`, here))
  })
  afterAll(async () => {
    await app?.close()
    await rm(folder, { recursive: true })
  })

  it.each(apis)('%s: the page comes whole, and the same buffered and streamed', async (route, late) => {
    const end = late ? 'page' : 'none'
    await page(`/render/${route}/${end}`) // code that is still cold is slower than the late part
    const whole = await page(`/render/${route}/${end}`)
    expect(whole.status).toBe(200)
    expect(whole.body.match(/<li>Zoë 🎈 \d+<\/li>/g)).toHaveLength(linesOfAPage)
    expect(whole.body.includes('late part')).toBe(late !== undefined)
    const streamed = await page(`/renderStream/${route}/${end}`)
    expect(unnumbered(streamed.body)).toBe(unnumbered(whole.body))
    await idle()
  })

  it.each(apis)('%s: an error in the shell is the answer', async route => {
    for (const how of ['render', 'renderStream']) {
      const outcome = await page(`/${how}/${route}/shell`).catch((error: Error) => error)
      // Vue's streams send what precedes a component before they render it, so the head may have left.
      if (outcome instanceof Error) expect(`${name} ${how}`).toBe('vue renderStream')
      else {
        expect(outcome.status).toBe(500)
        expect(JSON.parse(outcome.body).message).toBe('in the shell')
      }
      await idle()
    }
  })

  const awaiting = apis.filter(([, late]) => late)
  it.runIf(awaiting.length).each(awaiting)(
    '%s: with an error after the shell the page $1',
    async (route, late) => {
      for (const how of ['render', 'renderStream']) {
        const outcome = await page(`/${how}/${route}/late`).catch((error: Error) => error)
        if (late === 'fails') {
          // The head may have left before the error, or not; no page looks whole.
          if (!(outcome instanceof Error)) expect(outcome.status).toBe(500)
        } else {
          expect(outcome).toMatchObject({ status: 200 })
          expect((outcome as { body: string }).body).not.toContain('<p>late part')
        }
        await idle()
      }
    },
  )

  it.runIf(awaiting.length).each(awaiting)(
    '%s: a client that leaves in the middle ends the page',
    async route => {
      for (const how of ['render', 'renderStream']) {
        const { cancelled } = app.renderer.stats()
        const { port } = app.server.address() as { port: number }
        const leaving = get({ host: '127.0.0.1', port, path: `/${how}/${route}/slow`, agent: false })
        leaving.on('error', () => {}).on('response', response => response.resume())
        await vi.waitFor(() => expect(app.renderer.stats().workers.active).toBe(1))
        await delay(100)
        leaving.destroy()
        await idle()
        expect(app.renderer.stats().cancelled).toBe(cancelled + 1)
      }
    },
  )

  it.runIf(name !== 'svelte')('tells of an error in production, too', async () => {
    const routes = apis.map(([route]) => route)
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [fileURLToPath(new URL('production.mjs', here)), `${name}.mjs`, ...routes],
      { env: { ...process.env, NODE_ENV: 'production' } },
    )
    const printed = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    expect(printed).toEqual(Object.fromEntries(routes.map(route => [route, 'in the shell'])))
  })

  it.runIf(name === 'react')(
    'hears of each late error, and is aborted for each client that left',
    async () => {
      const heard: string[] = JSON.parse((await page('/render/heard/none')).body)
      const ofErrors = heard.filter(message => message.endsWith('the shell'))
      expect(ofErrors.filter(message => message.startsWith('after'))).toHaveLength(6)
      expect(heard.length - ofErrors.length).toBe(6)
    },
  )

  it('outlives what comes after its clients have gone', async () => {
    if (awaiting.length > 0) await delay(1600)
    expect((await page(`/render/${apis[0]?.[0]}/none`)).status).toBe(200)
    await idle()
  })
})

it("the guide's snippets are those of the workers that run here", async () => {
  const guide = await readFile(new URL('../../../../docs/frameworks.md', here), 'utf8')
  const snippets = [...guide.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)]
  expect(snippets.length).toBeGreaterThan(5)
  for (const [, file = '', code = ''] of snippets) {
    const source = await readFile(new URL(file, here), 'utf8')
    expect(source.replace(/^ +/gm, '')).toContain(code.trim().replace(/^ +/gm, ''))
  }
})
