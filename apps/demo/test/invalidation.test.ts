import { appendFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { createCacheInvalidator } from '@scratchyjs/cache-invalidation'
import { createRedisClient } from '@scratchyjs/redis-transport'
import { launchChromium } from '@scratchyjs/tooling/chromium'
import { freePort, type RedisServer, startRedis } from '@scratchyjs/tooling/redis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ServerStats } from '../src/stats.js'
import { type PortalProcess, startPortal } from './portal.js'
import { copyPortal, type PortalCopy } from './portal-copy.js'
import { rawRequest } from './raw-request.js'

let copy: PortalCopy
let redis: RedisServer
let portals: [PortalProcess, PortalProcess]

beforeAll(async () => {
  ;[copy, redis] = await Promise.all([copyPortal(), startRedis()])
  const start = () => startPortal({ REDIS_URL: redis.url }, copy)
  portals = [await start(), await start()]
  for (const portal of portals) {
    await vi.waitFor(async () => expect(await subscription(portal)).toBe('synchronised'), patient)
  }
})
afterAll(async () => {
  await Promise.all((portals ?? []).map(portal => portal.stop()))
  await redis?.stop()
  await copy?.remove()
})

const patient = { timeout: 20_000, interval: 50 }

const stats = async ({ url }: PortalProcess) =>
  (await (await fetch(`${url}/api/stats`)).json()) as ServerStats
const subscription = async (portal: PortalProcess) => (await stats(portal)).invalidation?.subscription
const text = async ({ url }: PortalProcess, path: string) => (await fetch(url + path)).text()

/** Asks often enough, and several at once, that every worker answers. */
const fromEveryWorker = (portal: PortalProcess, path: string) =>
  Promise.all(Array.from({ length: 8 }, () => text(portal, path)))

const invalidate = ({ url }: PortalProcess, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/invalidate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

describe('two servers on one Redis', () => {
  it('both show a changed document as soon as one of them is told, and not before', async () => {
    const path = '/docs/Reference/Middleware'
    const before = await text(portals[0], path)
    expect(await text(portals[1], path)).toBe(before)
    await appendFile(
      join(copy.docs, 'Reference/Middleware.md'),
      '\n## Freshly written\n\nNobody knew this.\n',
    )
    for (const portal of portals) expect(await text(portal, path)).toBe(before)

    const answer = await invalidate(portals[0], { keys: ['Reference/Middleware'] })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ invalidated: ['Reference/Middleware'] })
    expect(await text(portals[0], path)).toContain('<h2 id="freshly-written">')
    await vi.waitFor(async () => expect(await text(portals[1], path)).toContain('"freshly-written"'), patient)
    const page = await text(portals[0], path)
    for (const portal of portals) {
      for (const anew of await fromEveryWorker(portal, path)) expect(anew).toBe(page)
      expect(await text(portal, `${path}?in=thread`)).toBe(page)
      expect(await text(portal, '/search?q=freshly')).toContain(`${path}#freshly-written`)
    }
  })

  it('obey a program that publishes on the usual channel', async () => {
    const publisher = createRedisClient(redis.url)
    const { publish } = createCacheInvalidator({ publisher })
    const path = '/docs/Reference/Principles'
    try {
      for (const portal of portals) await text(portal, path)
      await appendFile(join(copy.docs, 'Reference/Principles.md'), '\n## One more\n')
      await publish(['Reference/Principles', 'Reference/Nothing'])
      for (const portal of portals) {
        await vi.waitFor(async () => expect(await text(portal, path)).toContain('"one-more"'), patient)
        expect((await stats(portal)).invalidation).toEqual({
          subscription: 'synchronised',
          received: 2,
          flushes: 0,
        })
      }
    } finally {
      publisher.disconnect()
    }
  })

  it('share their pages, as behind a load balancer: one renders, both send the same', async () => {
    const ask = ({ port }: PortalProcess) =>
      rawRequest(port, 'GET /docs/Guides/Index HTTP/1.1\r\nhost: docs.example\r\nconnection: close\r\n\r\n')
    const [one] = [await ask(portals[0])]
    const before = (await stats(portals[1])).renderer
    const other = await ask(portals[1])
    const body = (response: string) => response.split('\r\n\r\n')[1]
    expect(body(other.text)).toBe(body(one.text))
    expect(other.text).toMatch(/^age: \d+\r$/m)
    const after = (await stats(portals[1])).renderer
    expect(after.renders).toBe(before.renders)
    expect(after.cache.hits).toBe(before.cache.hits + 1)
  })

  it('say so on their dashboards, where a document can be chosen', async () => {
    const browser = await launchChromium()
    try {
      const page = await browser.newPage()
      await page.goto(`${portals[1].url}/dashboard`)
      const rows = page.getByRole('region', { name: 'Servers' }).locator('tbody tr')
      await expect.poll(() => rows.count(), patient).toBe(2)
      expect(await page.locator('[data-stat="invalidation.subscription"]').textContent()).toBe('synchronised')
      expect(await text(portals[0], '/docs/Reference/Hooks')).toBe(
        await text(portals[0], '/docs/Reference/Hooks'),
      )
      await page.getByRole('combobox', { name: 'Document' }).selectOption('Reference/Hooks')
      await page.getByRole('button', { name: 'Drop its pages' }).click()
      await page.getByText('Every server has dropped them.').waitFor()
      const misses = async () => (await stats(portals[0])).renderer.cache.misses
      const before = await misses()
      await vi.waitFor(async () => {
        await text(portals[0], '/docs/Reference/Hooks')
        expect(await misses()).toBe(before + 1)
      }, patient)

      // One server's page shows the other one too, and goes on doing so.
      const { server } = await stats(portals[0])
      await page.getByRole('link', { name: server }).click()
      await page.getByText('Updated every two seconds.').waitFor()
      expect(await page.locator('.lede').textContent()).toContain(server)
      const requests = Math.max(...(await Promise.all(portals.map(stats))).map(({ requests }) => requests))
      await Promise.all(Array.from({ length: requests }, () => text(portals[0], '/api/ping')))
      await expect
        .poll(async () => Number(await page.locator('[data-stat="requests"]').textContent()), patient)
        .toBeGreaterThan(requests + 10)
    } finally {
      await browser.close()
    }
  })
})

describe('asking to invalidate', () => {
  it.each<[string, unknown]>([
    ['no keys', {}],
    ['an empty list', { keys: [] }],
    ['no list', { keys: 'Reference/Hooks' }],
    ['an empty key', { keys: [''] }],
    ['a document that there is not', { keys: ['Reference/Nowhere'] }],
    ['a path', { keys: ['../../package.json'] }],
    ['a hundred and one keys', { keys: Array(101).fill('Reference/Hooks') }],
  ])('with %s is a mistake', async (_, body) => {
    const response = await invalidate(portals[0], body)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: expect.stringMatching(/\w/) })
  })

  it('from another site, by another name or through a proxy is refused', async () => {
    const { port } = portals[0]
    const ask = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const body = '{"keys":["Reference/Hooks"]}'
        request({ port, host: '127.0.0.1', path: '/api/invalidate', method: 'POST', headers }, answer => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
          .on('error', reject)
          .end(body)
      })
    const json = { 'content-type': 'application/json' }
    expect(await ask({ ...json, origin: 'https://evil.example' })).toBe(403)
    expect(await ask({ ...json, origin: 'null' })).toBe(403)
    expect(await ask({ ...json, host: 'evil.example', origin: 'http://evil.example' })).toBe(403)
    expect(await ask({ ...json, host: 'evil.example' })).toBe(403)
    expect(await ask({ ...json, 'x-forwarded-for': '127.0.0.1' })).toBe(403)
    expect(await ask({ ...json, forwarded: 'for=127.0.0.1' })).toBe(403)
    expect(await ask({ 'content-type': 'text/plain' })).toBe(400)
    expect(await ask({ ...json, origin: `http://127.0.0.1:${port}` })).toBe(200)
    expect(await ask({ ...json, host: `localhost:${port}` })).toBe(200)
  })
})

describe('a server whose Redis is away', () => {
  it('starts and serves, catches up when Redis comes, and misses nothing when Redis is replaced', async () => {
    const port = await freePort()
    const portal = await startPortal({ REDIS_URL: `redis://127.0.0.1:${port}` }, copy)
    let late: RedisServer | undefined
    try {
      expect((await fetch(`${portal.url}/docs/Reference/Hooks`)).status).toBe(200)
      expect((await fetch(`${portal.url}/healthz`)).status).toBe(200)
      await expect.poll(() => subscription(portal), patient).toBe('degraded')
      expect((await fetch(`${portal.url}/dashboard`)).status).toBe(200)

      // Whoever asks meanwhile is answered when Redis is there.
      const answer = invalidate(portal, { keys: ['Reference/Hooks'] })
      late = await startRedis({ port })
      expect((await answer).status).toBe(200)
      await expect.poll(() => subscription(portal), patient).toBe('synchronised')

      // Another Redis in its place knows nothing of the past: no page is good any more.
      const path = '/docs/Reference/HTTP2'
      const before = await text(portal, path)
      await late.stop()
      await appendFile(join(copy.docs, 'Reference/HTTP2.md'), '\n## Written meanwhile\n')
      late = await startRedis({ port })
      await expect.poll(() => subscription(portal), patient).toBe('synchronised')
      await vi.waitFor(async () => expect(await text(portal, path)).not.toBe(before), patient)
      expect(await text(portal, path)).toContain('"written-meanwhile"')
    } finally {
      const { code, ms } = await portal.stop()
      await late?.stop()
      expect(code).toBe(0)
      expect(ms).toBeLessThan(5000)
    }
  })

  it('says in one line that it can’t use its REDIS_URL', async () => {
    await expect(startPortal({ REDIS_URL: 'http://localhost' }, copy)).rejects.toThrow(
      /REDIS_URL can’t be used: /,
    )
  })
})
