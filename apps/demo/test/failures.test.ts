import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PortalProcess, startPortal } from './portal.js'

let portal: PortalProcess
beforeAll(async () => {
  portal = await startPortal({}, { main: fileURLToPath(new URL('./broken-portal.mjs', import.meta.url)) })
})
afterAll(() => portal?.stop())

describe('a page that fails', () => {
  it.each([
    ['throw', 500, 'Internal Server Error'],
    ['crash', 500, 'Internal Server Error'],
    ['hang', 504, 'Gateway Timeout'],
    ['teapot', 418, 'I&apos;m a Teapot'],
  ])('by %s is an error page with status %i that tells nothing of the cause', async (path, status, title) => {
    const response = await fetch(`${portal.url}/docs/${path}`)
    const html = await response.text()
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(html).toContain(`<p class="notice-code">${status}</p>`)
    expect(html.replaceAll("'", '&apos;')).toContain(title)
    expect(html).not.toMatch(/sesame|\bat .*:\d+|node_modules|worker/)
  })

  it('is logged with its cause', async () => {
    await expect.poll(() => portal.output(), { timeout: 10_000 }).toContain('the password is \\"sesame\\"')
    const logged = portal.output().split('\n')
    const entry = logged.find(line => line.includes('"url":"/docs/throw"'))
    expect(JSON.parse(entry ?? '{}')).toMatchObject({
      level: 50,
      err: { message: 'the password is "sesame"', stack: expect.stringContaining('broken-worker.mjs') },
    })
  })

  it('leaves the others as they were', async () => {
    const response = await fetch(`${portal.url}/docs/fine`)
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('Fine')
    expect((await fetch(`${portal.url}/healthz`)).status).toBe(200)
  })
})
