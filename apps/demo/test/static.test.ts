import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fastifyStatic from '@fastify/static'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentRoute } from '../src/links.js'
import { findSources } from '../src/sources.js'
import { elementsOf } from './html.js'

const command = fileURLToPath(new URL('../dist/static.js', import.meta.url))
const routes = ['', '/all', ...findSources().documents.map(({ path }) => documentRoute(path))]

let folder: string
let output: string
/** Where the site's index is: a folder of a file server, which knows nothing of the site. */
let home: URL
const server = Fastify()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scratchy-static-'))
  output = (await promisify(execFile)(process.execPath, [command, folder])).stdout
  await server.register(fastifyStatic, { root: folder, prefix: '/some/folder/' })
  home = new URL('/some/folder/', await server.listen({ port: 0, host: '127.0.0.1' }))
}, 300_000)
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

describe('the portal as files', () => {
  it('has a page for every document, the index, the book and what is missing', async () => {
    expect(output).toContain(`${routes.length + 1} pages written`)
    for (const route of routes) expect(existsSync(join(folder, route, 'index.html')), route).toBe(true)
    const missing = await readFile(join(folder, '404.html'), 'utf8')
    expect(missing).toContain('There is no page here')
    // It stands for addresses at any depth.
    expect(missing).toMatch(/rel="stylesheet" href="\/assets\/[^"]+"/)
  })

  it('leads from its index to all of them, and to nothing that is not there', async () => {
    const anchors = new Map<string, Set<string>>()
    const links = new Set<string>()
    const queue = [home.href]
    for (let url = queue.pop(); url; url = queue.pop()) {
      if (anchors.has(url)) continue
      anchors.set(url, new Set())
      const response = await fetch(url)
      expect(`${response.status} ${response.url}`).toBe(`200 ${url}`)
      const text = await response.text()
      if (!response.headers.get('content-type')?.startsWith('text/html')) continue
      const elements = elementsOf(text)
      const ids = elements.flatMap(({ properties }) => `${properties.id ?? ''}` || [])
      expect(new Set(ids).size, url).toBe(ids.length)
      anchors.set(url, new Set(ids))
      expect(elements.filter(({ tagName }) => tagName === 'form' || tagName === 'search')).toEqual([])
      for (const { properties } of elements) {
        const to = properties.href ?? properties.src
        if (typeof to !== 'string' || /^(?!https?:)[a-z]+:/.test(to)) continue
        const target = new URL(to, url)
        if (target.origin !== home.origin) continue
        links.add(target.href)
        target.hash = ''
        queue.push(target.href)
      }
    }
    for (const route of routes) expect(anchors.keys()).toContain(new URL(`.${route}/`, home).href)
    const broken = [...links].filter(link => {
      const [url = '', anchor] = link.split('#')
      return anchor && !anchors.get(url)?.has(decodeURIComponent(anchor))
    })
    const shown = broken.map(link => link.slice(home.href.length - 1).replace('/#', '#'))
    const inTheBook = brokenUpstream.map(link => link.replace('#', ':').replace('/docs/', '/all#'))
    expect(shown.sort()).toEqual([...brokenUpstream, ...inTheBook].sort())
  })
})

/** Links to anchors that Fastify's documents don't have on their own site either. */
const brokenUpstream = [
  '/docs/Reference/Errors#fst_err_error_handler_already_set',
  '/docs/Reference/TypeScript#ContextConfigGeneric',
  '/docs/Reference/TypeScript#fastifyfastifyinstance',
  '/docs/Reference/TypeScript#fastifyfastifyloggeroptions',
  '/docs/Reference/TypeScript#fastifyfastifypluginasyncoptions',
  '/docs/Reference/TypeScript#fastifyfastifyplugincallbackoptions',
  '/docs/Reference/TypeScript#fastifyfastifypluginoptions-rawserver-rawrequest-requestgeneric',
  '/docs/Reference/TypeScript#fastifyfastifyregisterrawserver-rawrequest-requestgenericplugin-fastifyplugin-opts-fastifyregisteroptions',
  '/docs/Reference/TypeScript#fastifyfastifyreplyrawserver-rawreply-contextconfig',
  '/docs/Reference/TypeScript#fastifyfastifyrequestrawserver-rawrequest-requestgeneric',
  '/docs/Reference/TypeScript#fastifyfastifytregisteroptions',
  '/docs/Reference/TypeScript#fastifyrawreplydefaultexpression',
  '/docs/Reference/TypeScript#fastifyrawserver-rawrequest-rawreply-loggeropts-fastifyserveroptions-fastifyinstance',
  '/docs/Reference/TypeScript#fastifyrouteoptionsrawserver-rawrequest-rawreply-requestgeneric-contextconfig',
]
