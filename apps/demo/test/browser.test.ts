import { launchChromium } from '@scratchyjs/tooling/chromium'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PortalProcess, startPortal } from './portal.js'

let portal: PortalProcess
let browser: Browser

beforeAll(async () => {
  ;[portal, browser] = await Promise.all([startPortal(), launchChromium()])
})
afterAll(async () => {
  await browser?.close()
  await portal?.stop()
})

/** Runs a visit in a context of its own; whatever the browser complains about fails it. */
async function visit(
  options: Parameters<Browser['newContext']>[0],
  steps: (page: Page, context: BrowserContext) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ baseURL: portal.url, ...options })
  const complaints: string[] = []
  const page = await context.newPage()
  page.on('console', message => {
    if (message.type() !== 'log') complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', error => complaints.push(error.message))
  page.on('requestfailed', request => {
    // Who goes on to another page waits neither for the icon nor for the end of the book.
    const why = request.failure()?.errorText
    if (why !== 'net::ERR_ABORTED') complaints.push(`failed: ${request.url()}: ${why}`)
  })
  try {
    await steps(page, context)
  } finally {
    await context.close()
  }
  expect(complaints).toEqual([])
}

const phone = { viewport: { width: 390, height: 844 } }
const overflows = 'document.documentElement.scrollWidth > innerWidth'

describe('a visitor', () => {
  it('goes from the index to a document, to a heading, and on to the next document', async () => {
    await visit({ viewport: { width: 1440, height: 900 } }, async page => {
      await page.goto('/')
      await page.getByRole('link', { name: 'Hooks', exact: true }).click()
      await page.waitForURL('**/docs/Reference/Hooks')
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Hooks')
      expect(await page.locator('pre.shiki').count()).toBeGreaterThan(20)

      const contents = page.getByRole('navigation', { name: 'On this page' })
      await contents.getByRole('link', { name: 'preHandler', exact: true }).click()
      expect(new URL(page.url()).hash).toBe('#prehandler')
      // The page's script marks the section that is being read.
      await contents.locator('a[aria-current="location"]', { hasText: 'preHandler' }).waitFor()

      await page.getByRole('link', { name: /^Next/ }).click()
      await page.waitForURL('**/docs/Reference/HTTP2')
    })
  })

  it('searches, with the keyboard alone', async () => {
    await visit({}, async page => {
      await page.goto('/docs/Reference/Reply')
      await page.keyboard.press('/')
      await page.keyboard.type('onrequest')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/search?q=onrequest')
      await page.locator('.results a', { hasText: 'Hooks' }).first().click()
      await page.waitForURL('**/docs/Reference/Hooks#onrequest')
      expect(await page.locator('#onrequest').isVisible()).toBe(true)
    })
  })

  it('jumps over the navigation to the content', async () => {
    await visit({}, async page => {
      await page.goto('/docs/Reference/Reply')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      expect(await page.evaluate('document.activeElement.tagName')).toBe('MAIN')
    })
  })

  it('watches the dashboard change', async () => {
    await visit({}, async page => {
      await page.goto('/dashboard')
      const requests = page.locator('[data-stat="requests"]').first()
      const before = Number(await requests.textContent())
      await expect
        .poll(async () => Number(await requests.textContent()), { timeout: 15_000 })
        .toBeGreaterThan(before)
      await expect
        .poll(async () => (await page.locator('polyline').first().getAttribute('points')) ?? '', {
          timeout: 15_000,
        })
        .toMatch(/\d+,[\d.]+ \d+,[\d.]+/)
      await page.getByText('Updated every two seconds.').waitFor()
    })
  })

  it('who prefers dark colours gets them, code included', async () => {
    const colours = async (colorScheme: 'light' | 'dark') => {
      let seen: unknown
      await visit({ colorScheme }, async page => {
        await page.goto('/docs/Reference/Hooks')
        seen = await page.evaluate(
          `['body', '.shiki', '.shiki .function'].map(name => {
            const { color, backgroundColor } = getComputedStyle(document.querySelector(name))
            return [color, backgroundColor]
          })`,
        )
      })
      return seen as [string, string][]
    }
    const [light, dark] = [await colours('light'), await colours('dark')]
    expect(light[0]?.[1]).toBe('rgb(255, 255, 255)')
    expect(brightness(dark[0]?.[1])).toBeLessThan(40)
    expect(brightness(dark[0]?.[0])).toBeGreaterThan(200)
    expect(dark[1]).not.toEqual(light[1])
    expect(dark[2]).not.toEqual(light[2])
  })

  it('reads the first chapters of the book while the last are being made', async () => {
    await visit({}, async page => {
      await page.goto('/')
      const book = page.getByRole('navigation', { name: 'Site' }).getByRole('link', { name: 'Book' })
      await book.click({ noWaitAfter: true })
      await page.locator('article').nth(1).waitFor()
      const chapters = page.getByRole('navigation', { name: 'Chapters' })
      await chapters.getByRole('link', { name: '@scratchyjs/redis-transport' }).click()
      expect(new URL(page.url()).hash).toBe('#packages/redis-transport')
      expect(await page.evaluate('document.readyState')).toBe('loading')
      expect(await page.locator('article').count()).toBeLessThan(40)
    })
  })

  it('on a phone opens the list of documents and the contents', async () => {
    await visit(phone, async page => {
      for (const path of [
        '/',
        '/docs/Reference/Server',
        '/docs/Reference/Errors',
        '/search?q=error',
        '/dashboard',
      ]) {
        await page.goto(path)
        expect(await page.evaluate(overflows), path).toBe(false)
      }
      await page.goto('/all', { waitUntil: 'commit' })
      await page.locator('article').nth(5).waitFor()
      expect(await page.evaluate(overflows)).toBe(false)
      await page.goto('/docs/Reference/Hooks')
      await page.getByRole('button', { name: 'On this page' }).click()
      await page.getByRole('link', { name: 'onSend', exact: true }).first().click()
      expect(new URL(page.url()).hash).toBe('#onsend')
      await page.locator('.contents').waitFor({ state: 'hidden' })

      await page.getByRole('button', { name: 'Documents' }).click()
      await page.getByRole('navigation', { name: 'Documents' }).getByRole('link', { name: 'Routes' }).click()
      await page.waitForURL('**/docs/Reference/Routes')
    })
  })
})

describe('a visitor without JavaScript', () => {
  it('reads, follows links, searches and sees the dashboard', async () => {
    await visit({ javaScriptEnabled: false, ...phone }, async page => {
      await page.goto('/')
      await page.getByRole('link', { name: 'Getting Started', exact: true }).click()
      await page.waitForURL('**/docs/Guides/Getting-Started')
      expect(await page.locator('pre.shiki').count()).toBeGreaterThan(5)
      await page.getByRole('button', { name: 'Documents' }).click()
      await page.getByRole('navigation', { name: 'Documents' }).getByRole('link', { name: 'Reply' }).click()
      await page.waitForURL('**/docs/Reference/Reply')

      await page.getByRole('searchbox').fill('plugin')
      await page.getByRole('searchbox').press('Enter')
      await page.waitForURL('**/search?q=plugin')
      expect(await page.locator('.results li').count()).toBeGreaterThan(3)

      await page.getByRole('link', { name: 'Dashboard', exact: true }).click()
      await page.waitForURL('**/dashboard')
      expect(Number(await page.locator('[data-stat="requests"]').textContent())).toBeGreaterThan(3)
      expect(await page.getByText('Reload the page for newer values.').isVisible()).toBe(true)
    })
  })
})

/** The mean of a colour's channels, 0 to 255. */
function brightness(colour = ''): number {
  const channels = (colour.match(/\d+/g) ?? []).slice(0, 3).map(Number)
  return channels.reduce((sum, channel) => sum + channel, 0) / channels.length
}
