import { STATUS_CODES } from 'node:http'
import { wrapInShell } from '@scratchyjs/renderer'
import { assetsRoute } from './assets.js'

const advice: Record<number, string> = {
  400: 'The address can’t be read. Check it for stray characters.',
  405: 'Pages here can be read, and nothing else.',
  503: 'Too many pages are being made at the moment. Try again in a few seconds.',
  504: 'This page took too long to make. Try again in a moment.',
}

/** What a visitor sees when there is no page. It tells nothing of the cause, and needs no worker: those may be the cause. */
export function errorPage(statusCode: number): string {
  const title = STATUS_CODES[statusCode] ?? 'Error'
  const text =
    advice[statusCode] ??
    (statusCode < 500 ? 'This request can’t be answered.' : 'Something went wrong here. It has been noted.')
  return wrapInShell(
    `<main class="notice alone"><p class="notice-code">${statusCode}</p><h1>${title}</h1><p>${text}</p>` +
      '<p><a href="/">All documents</a></p></main>',
    `<title>${title}</title><meta name="color-scheme" content="light dark">` +
      `<link rel="icon" type="image/svg+xml" href="${assetsRoute}icon.svg">` +
      `<link rel="stylesheet" href="${assetsRoute}portal.css">`,
    { lang: 'en' },
  )
}
