import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** Starts a headless Chromium: the one `npm test` found or installed, or `CHROMIUM_PATH`. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH || '/usr/bin/chromium',
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** The headers that make a page cross-origin isolated, so that it has shared memory. */
export const isolation: Record<string, string> = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}

/**
 * What `code`, the body of an async function, answers in an empty page of a Chromium of its own. The page is
 * served on a free port with these headers, and beside it the scripts of `folder`.
 */
export async function runInPage(
  folder: string,
  headers: Record<string, string>,
  code: string,
): Promise<unknown> {
  const server = createServer(async ({ url = '/' }, response) => {
    const script = url.endsWith('.js')
    const body = script ? await readFile(join(folder, url)).catch(() => undefined) : '<!doctype html>'
    response.writeHead(body === undefined ? 404 : 200, {
      'content-type': script ? 'text/javascript' : 'text/html',
      ...headers,
    })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const browser = await launchChromium()
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      return await page.evaluate(`(async () => { ${code} })()`)
    } finally {
      await browser.close()
    }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
