import { wrapInShell } from '@scratchyjs/renderer/worker'
import type { ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import type { Catalogue } from './catalogue.js'
import { bookPage, Chapter, chaptersPlace } from './pages/book.js'
import { dashboardPage } from './pages/dashboard.js'
import { documentPage } from './pages/document.js'
import { homePage } from './pages/home.js'
import { Head, Layout, type PageView } from './pages/layout.js'
import { missingPage } from './pages/missing.js'
import { searchPage } from './pages/search.js'
import { search } from './search.js'
import { CurrentSite, liveSite, type Site, staticSite } from './site.js'
import type { DashboardStats } from './stats.js'

/** What a page is made of, besides the documents: plain JSON, all that the main thread tells a worker. */
export type PageRequest =
  | { page: 'home' | 'missing'; staticRoute?: string }
  | { page: 'document'; path: string; staticRoute?: string }
  | { page: 'search'; question: string; staticRoute?: undefined }
  | { page: 'dashboard'; stats: DashboardStats; staticRoute?: undefined }

/** The page of all documents. */
export interface BookRequest {
  page: 'book'
  /** The page's own route, where it is part of a static site. */
  staticRoute?: string
}

/** Makes a page. Its bytes depend on the request and the documents alone, not on the thread, the time or the client. */
export function renderPage(catalogue: Catalogue, request: PageRequest): { statusCode: number; html: string } {
  catalogue.refresh()
  const site = siteOf(request)
  const view = viewOf(catalogue, request, site)
  return { statusCode: view ? 200 : 404, html: pageHtml(catalogue, view ?? missingPage(), site) }
}

/**
 * Makes the book, part by part. In the order of the page: React's own streaming would need inline scripts to put late
 * parts into their places, which the content security policy forbids.
 */
export function* renderBook(catalogue: Catalogue, request: BookRequest): Generator<string> {
  catalogue.refresh()
  const site = siteOf(request)
  const [before = '', after = ''] = pageHtml(catalogue, bookPage(catalogue.sections), site).split(
    chaptersPlace,
  )
  yield before
  for (const entry of catalogue.entries) {
    yield markup(<Chapter entry={entry} html={catalogue.chapter(entry, site.address)} />, site)
  }
  yield after
}

const siteOf = ({ staticRoute }: PageRequest | BookRequest): Site =>
  staticRoute === undefined ? liveSite : staticSite(staticRoute)

function pageHtml(catalogue: Catalogue, view: PageView, site: Site): string {
  const head = markup(<Head view={view} />, site)
  const body = markup(<Layout view={view} sections={catalogue.sections} />, site)
  return wrapInShell(body, head, { lang: 'en' })
}

const markup = (node: ReactNode, site: Site): string =>
  renderToStaticMarkup(<CurrentSite value={site}>{node}</CurrentSite>)

function viewOf(catalogue: Catalogue, request: PageRequest, { address }: Site): PageView | undefined {
  switch (request.page) {
    case 'home':
      return homePage(catalogue.sections)
    case 'document': {
      const article = catalogue.article(request.path, address)
      return article && documentPage(article, catalogue.sections)
    }
    case 'search':
      return searchPage(search(catalogue.entries, request.question))
    case 'dashboard':
      return dashboardPage(request.stats, catalogue.entries)
    case 'missing':
      return undefined
  }
}
