import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentRoute } from '../src/links.js'
import { findSources } from '../src/sources.js'
import type { DashboardStats, ServerStats } from '../src/stats.js'
import { elementsOf } from './html.js'
import { type PortalProcess, startPortal } from './portal.js'
import { rawRequest } from './raw-request.js'

let portal: PortalProcess
beforeAll(async () => {
  portal = await startPortal()
})
afterAll(() => portal?.stop())

const get = (path: string, init?: RequestInit) => fetch(portal.url + path, { redirect: 'manual', ...init })
const text = async (path: string) => (await get(path)).text()
const titleOf = (html: string) => /<title>(.*?)<\/title>/.exec(html)?.[1]

const routes = findSources().documents.map(({ path }) => documentRoute(path))

describe('pages', () => {
  it('are a hundred at once, whole, different, and the same bytes as on the main thread', async () => {
    const searches = Array.from({ length: 100 - routes.length - 1 }, (_, index) => `/search?q=${index}+on`)
    const paths = ['/', ...routes, ...searches]
    expect(new Set(paths).size).toBe(100)
    const pages = await Promise.all(paths.map(async path => ({ path, response: await get(path) })))
    const bodies = new Map<string, string>()
    for (const { path, response } of pages) {
      expect(response.status, path).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      const html = await response.text()
      expect(html.startsWith('<!doctype html>\n<html lang="en">'), path).toBe(true)
      expect(html.endsWith('</html>\n'), path).toBe(true)
      expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(html))
      bodies.set(path, html)
    }
    expect(new Set(bodies.values()).size).toBe(100)
    expect(new Set(routes.map(route => titleOf(bodies.get(route) ?? ''))).size).toBe(routes.length)

    for (const path of ['/', ...routes, ...searches.slice(0, 3)]) {
      const html = await text(`${path}${path.includes('?') ? '&' : '?'}in=thread`)
      expect(digest(html), path).toBe(digest(bodies.get(path) ?? ''))
    }
  })

  it('say what they are: language, title, description, one heading, landmarks', async () => {
    for (const path of ['/', '/docs/Reference/Hooks', '/search?q=hooks', '/dashboard', '/docs/nowhere']) {
      const html = await text(path)
      const elements = elementsOf(html)
      expect(html).toContain('<html lang="en">')
      expect(titleOf(html)).toMatch(/\S.* · scratchyjs docs$/)
      expect(html).toMatch(/<meta name="description" content="[^"]{20,}"/)
      expect(elements.filter(({ tagName }) => tagName === 'h1')).toHaveLength(1)
      expect(elements.map(({ tagName }) => tagName)).toEqual(
        expect.arrayContaining(['header', 'nav', 'main', 'footer']),
      )
      const ids = elements.flatMap(({ properties }) => `${properties.id ?? ''}` || [])
      expect(new Set(ids).size, path).toBe(ids.length)
      expect(html).not.toMatch(/\sstyle=/)
    }
  })

  it('of documents have highlighted code, breadcrumbs, contents and neighbours', async () => {
    const html = await text('/docs/Reference/Hooks')
    expect(html).toContain('<pre class="shiki"')
    expect(html).toContain('aria-label="Breadcrumbs"')
    expect(html).toContain('<a href="#onrequest">onRequest</a>')
    expect(html).toMatch(/href="\/docs\/Reference\/[^"]+" rel="prev"/)
    expect(html).toMatch(/href="\/docs\/Reference\/[^"]+" rel="next"/)
    expect(html).toMatch(/<a href="\/docs\/Reference\/Hooks" aria-current="page">Hooks<\/a>/)
  })

  it('of packages come from their READMEs', async () => {
    const readmes = routes.filter(route => route.startsWith('/docs/packages/'))
    const home = await text('/')
    for (const route of readmes) {
      expect(home).toContain(`<a href="${route}">@scratchyjs/`)
      expect(await text(route)).toMatch(/<h1 id="[^"]+">@scratchyjs\//)
    }
    expect(readmes).toContain('/docs/packages/renderer')
  })

  it('list every document, with its first sentence', async () => {
    const html = await text('/')
    for (const route of routes) expect(html).toContain(`<a href="${route}">`)
    expect(html).toContain('<p>Hooks are registered with the fastify.addHook method')
  })
})

describe('a page that was rendered once', () => {
  const invalidate = (keys: string[]) =>
    get('/api/invalidate', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ keys }),
    })

  it('is kept for everyone, and not sent again to who has it', async () => {
    const counts = async () => ((await (await get('/api/stats')).json()) as ServerStats).renderer
    await invalidate(['Guides/Testing'])
    const first = await get('/docs/Guides/Testing')
    const html = await first.text()
    const before = await counts()
    const second = await get('/docs/Guides/Testing')
    expect(await second.text()).toBe(html)
    expect(Number(second.headers.get('age'))).toBeGreaterThanOrEqual(0)
    const etag = second.headers.get('etag') ?? ''
    const third = await get('/docs/Guides/Testing', { headers: { 'if-none-match': etag } })
    expect(third.status).toBe(304)
    expect(third.headers.get('cache-control')).toBe('no-cache')
    expect(third.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await third.text()).toBe('')
    const after = await counts()
    expect(after.renders).toBe(before.renders)
    expect(after.cache.hits).toBe(before.cache.hits + 2)
  })

  it('is rendered anew after it was invalidated, also without Redis', async () => {
    const isKept = async (path: string) => {
      const response = await get(path)
      await response.text()
      return response.headers.has('age')
    }
    const paths = ['/', '/docs/Guides/Testing', '/docs/Guides/Database']
    for (const path of paths) await text(path)
    expect(await Promise.all(paths.map(isKept))).toEqual([true, true, true])
    expect((await invalidate(['Guides/Testing'])).status).toBe(200)
    expect(await Promise.all(paths.map(isKept))).toEqual([false, false, true])
    expect((await invalidate(['Guides/Nothing'])).status).toBe(400)
  })
})

describe('the book', () => {
  it('comes while it is made, whole and in order', async () => {
    const response = await get('/all')
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-length')).toBeNull()
    const parts = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())
    const { streams } = ((await (await get('/api/stats')).json()) as ServerStats).renderer
    expect(streams).toBe(1)
    let html = ''
    for await (const part of parts) html += part
    expect(html.endsWith('</html>\n')).toBe(true)
    const elements = elementsOf(html)
    expect(elements.filter(({ tagName }) => tagName === 'h1')).toHaveLength(1)
    const chapters = elements.filter(({ tagName }) => tagName === 'article')
    const listed = elementsOf(await text('/'))
      .map(({ properties }) => `${properties.href ?? ''}`)
      .filter(href => href.startsWith('/docs/'))
    expect(chapters.map(({ properties }) => documentRoute(`${properties.id}`))).toEqual(
      listed.filter((href, index) => listed.indexOf(href) === index && routes.includes(href)),
    )
    const hrefs = elements.map(({ properties }) => properties.href)
    expect(hrefs).toContain('#Reference/Hooks:onrequest')
  })

  it('gives its thread back when its reader leaves', async () => {
    const counts = async () => ((await (await get('/api/stats')).json()) as ServerStats).renderer
    const { workers } = await counts()
    const leave = new AbortController()
    await get('/all', { signal: leave.signal })
    expect((await counts()).streams).toBe(1)
    leave.abort()
    await expect
      .poll(
        async () => {
          const { streams, workers } = await counts()
          return [streams, workers.active]
        },
        { timeout: 20_000 },
      )
      .toEqual([0, 0])
    expect((await counts()).workers.restarts).toBe(workers.restarts)
  })
})

describe('the search', () => {
  it('leads to titles and to anchors of headings that exist', async () => {
    const html = await text('/search?q=onrequest')
    const hrefs = elementsOf(html).flatMap(({ properties }) => `${properties.href ?? ''}` || [])
    expect(hrefs).toContain('/docs/Reference/Hooks#onrequest')
    for (const href of hrefs.filter(href => /^\/docs\/.*#/.test(href))) {
      const [route = '', id = ''] = href.split('#')
      expect(await text(route), href).toContain(`id="${decodeURIComponent(id)}"`)
    }
  })

  it('explains itself when nothing was asked, and when nothing was found', async () => {
    for (const path of ['/search', '/search?q=', '/search?q=%20%20']) {
      expect(await text(path)).toContain('Type one or more words')
    }
    expect(await text('/search?q=qwertzuiop')).toContain('No title or heading contains all of these words')
  })

  it('shows a hostile question as text', async () => {
    const html = await text(`/search?q=${encodeURIComponent('"><script>alert(1)</script>')}`)
    expect(html).not.toContain('<script>alert')
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  it('takes the first of several questions', async () => {
    expect(titleOf(await text('/search?q=hooks&q=reply'))).toContain('hooks')
  })
})

describe('what is not there', () => {
  it.each([
    '/nowhere',
    '/docs/Reference/Nowhere',
    '/docs/reference/hooks',
    '/docs/Reference/Hooks.md',
    '/docs/constructor',
    '/docs/__proto__',
    '/docs/Reference/Hooks%00',
    '/docs/..%2f..%2fetc%2fpasswd',
    '/docs/%2e%2e/%2e%2e/etc/passwd',
    '/docs/..%5c..%5cetc%5cpasswd',
    '/files/../../package.json',
    '/files/fastify/resources/encapsulation_context.drawio',
    '/assets/nowhere.css',
    `/docs/${'x'.repeat(5000)}`,
  ])('%s is a page with status 404', async path => {
    const response = await get(path)
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('There is no page here')
  })

  it.each([
    '/docs/../../etc/passwd',
    '/docs/../../../../../../etc/passwd',
    '/docs//etc/passwd',
    '/docs/Reference/../../../package.json',
    '/files/../../../package.json',
    '/docs/..;/..;/etc/passwd',
  ])('%s, as no browser would send it, is a page with status 404', async path => {
    const { status, text } = await rawRequest(
      portal.port,
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    )
    expect(status).toBe(404)
    expect(text).toContain('There is no page here')
    expect(text).not.toMatch(/root:|"dependencies"/)
  })

  it('is JSON for programs', async () => {
    const response = await get('/api/nowhere')
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({ error: 'There is nothing at this address' })
  })
})

describe('bad requests', () => {
  it('with broken percent signs get a 400', async () => {
    for (const path of ['/docs/%', '/docs/%zz', '/docs/%c0%af']) {
      const { status, text } = await rawRequest(
        portal.port,
        `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
      )
      expect(status, path).toBe(400)
      expect(text).not.toMatch(/\bat .*\.js:/)
    }
  })

  it('with ten megabytes of query are refused, and the server goes on', async () => {
    const megabyte = 'q'.repeat(2 ** 20)
    const { status } = await rawRequest(portal.port, ['GET /search?q=', ...Array(10).fill(megabyte)])
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    expect((await get('/api/ping')).status).toBe(200)
  })

  it('with a long query are answered, and the query is cut', async () => {
    const response = await get(`/search?q=${'x'.repeat(8000)}`)
    expect(response.status).toBe(200)
    expect((await response.text()).match(/x{101,}/)).toBeNull()
  })

  it('with a method that there is not', async () => {
    expect((await rawRequest(portal.port, 'BREW / HTTP/1.1\r\nhost: x\r\n\r\n')).status).toBe(400)
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const response = await get('/docs/Reference/Hooks', { method })
      expect(response.status, method).toBe(405)
      expect(response.headers.get('allow')).toBe('GET, HEAD')
    }
    expect((await get('/api/invalidate', { method: 'POST' })).status).toBe(400)
  })

  it('HEAD answers what GET answers, without the page', async () => {
    for (const path of ['/', '/docs/Reference/Hooks', '/docs/nowhere', '/docs/Reference/Hooks?in=thread']) {
      const [head, whole] = await Promise.all([get(path, { method: 'HEAD' }), get(path)])
      expect(head.status).toBe(whole.status)
      expect(head.headers.get('content-length')).toBe(whole.headers.get('content-length'))
      expect(await head.text()).toBe('')
      await whole.text()
    }
  })
})

describe('the server', () => {
  it('tells machines how it is', async () => {
    const health = await get('/healthz')
    expect(health.status).toBe(200)
    expect(await health.json()).toMatchObject({ status: 'ok', workers: expect.any(Number) })
    expect(await (await get('/api/ping')).json()).toEqual({ pong: true })
    const stats = (await (await get('/api/stats')).json()) as Record<string, never>
    expect(stats).toMatchObject({
      requests: expect.any(Number),
      inWorkers: { pages: expect.any(Number), msPerPage: expect.any(Number) },
      renderer: { errors: 0, slots: { quarantined: 0 }, workers: { restarts: 0 } },
    })
    expect(stats).not.toHaveProperty('invalidation')
    expect(await text('/dashboard')).toContain('This server runs alone')
  })

  it('has metrics for Prometheus', async () => {
    const response = await get('/metrics')
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=/)
    const metrics = await response.text()
    expect(metrics).toMatch(/^scratchy_renderer_render_seconds_count\{.*outcome="ok".*\} [1-9]/m)
    expect(metrics).toMatch(/^scratchy_renderer_threads\{pool="renderer"\} [1-9]/m)
    expect(metrics).toMatch(/^scratchy_renderer_page_cache_answers_total\{pool="[^"]*",answer="hit"\} [1-9]/m)
  })

  it('shows itself alone when there is no Redis, and no server that there is not', async () => {
    const { server, servers } = (await (await get('/api/stats')).json()) as DashboardStats
    expect(servers).toEqual([expect.objectContaining({ server })])
    expect((await get(`/api/stats?server=${encodeURIComponent(server)}`)).status).toBe(200)
    expect((await get('/api/stats?server=nobody')).status).toBe(404)
    expect((await get('/dashboard?server=nobody')).status).toBe(404)
  })

  it('gives every slot back when its pages have been sent', async () => {
    const inUse = async () => ((await (await get('/api/stats')).json()) as ServerStats).renderer.slots.inUse
    const anew = { headers: { cookie: 'rendered=anew' } }
    await Promise.all(routes.slice(0, 10).map(async route => (await get(route, anew)).text()))
    await expect.poll(inUse, { timeout: 10_000 }).toBe(0)
  })

  it('forgets the pages of a client that asked for many at once and left', async () => {
    const counts = async () => (await (await get('/api/stats')).json()) as ServerStats
    const before = await counts()
    const socket = connect(portal.port, '127.0.0.1')
    socket.write('GET /docs/Reference/Hooks HTTP/1.1\r\nhost: x\r\ncookie: rendered=anew\r\n\r\n'.repeat(8))
    let asked = 0
    const others = async () => (await counts()).requests - ++asked
    await expect.poll(others, { timeout: 30_000 }).toBe(before.requests + 8)
    socket.destroy()
    await expect
      .poll(async () => (await counts()).inWorkers.pages, { timeout: 30_000 })
      .toBe(before.inWorkers.pages + 8)
    // What was being rendered goes on to its end.
    await expect.poll(async () => (await counts()).renderer.slots.inUse, { timeout: 30_000 }).toBe(0)
  })

  it('lets pages run no script but its own files, and be framed by nobody', async () => {
    for (const path of ['/', '/docs/nowhere', '/api/ping', '/docs/%']) {
      const { headers } = await get(path)
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy, path).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain('unsafe')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
    expect(elementsOf(await text('/')).filter(isInlineScript)).toEqual([])
  })

  it('serves its assets for good, under a name that changes with them', async () => {
    const assets = [...(await text('/dashboard')).matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(
      ([, path]) => path ?? '',
    )
    expect(assets).toHaveLength(4)
    for (const path of assets) {
      const response = await get(path)
      expect(response.status, path).toBe(200)
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    }
  })

  it('serves a document’s drawing so that nothing in it can run', async () => {
    const response = await get('/files/fastify/resources/encapsulation_context.svg')
    expect(response.headers.get('content-type')).toContain('image/svg+xml')
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
    expect(await response.text()).toContain('<svg')
  })

  it('sends old addresses of the index to the index', async () => {
    const response = await get('/docs')
    expect(response.status).toBe(308)
    expect(response.headers.get('location')).toBe('/')
  })
})

function isInlineScript({ tagName, properties }: ReturnType<typeof elementsOf>[number]): boolean {
  return tagName === 'script' && !`${properties.src ?? ''}`.startsWith('/assets/')
}

const digest = (html: string) => createHash('sha256').update(html).digest('hex')
