import { wrapInShell } from '@scratchyjs/renderer/worker'
import { renderToStaticMarkup } from 'react-dom/server'
import type { Catalogue, Revisions } from './catalogue.js'
import { dashboardPage } from './pages/dashboard.js'
import { documentPage } from './pages/document.js'
import { homePage } from './pages/home.js'
import { Head, Layout, type PageView } from './pages/layout.js'
import { missingPage } from './pages/missing.js'
import { searchPage } from './pages/search.js'
import { search } from './search.js'
import type { ServerStats } from './stats.js'

/** What a page is made of, besides the documents: plain JSON, all that the main thread tells a worker. */
export type PageRequest = { revisions: Revisions } & (
  | { page: 'home' | 'missing' }
  | { page: 'document'; path: string }
  | { page: 'search'; question: string }
  | { page: 'dashboard'; stats: ServerStats }
)

/** Makes a page. Its bytes depend on the request and the documents alone, not on the thread, the time or the client. */
export async function renderPage(
  catalogue: Catalogue,
  request: PageRequest,
): Promise<{ statusCode: number; html: string }> {
  await catalogue.refresh(request.revisions)
  const view = viewOf(catalogue, request)
  const head = renderToStaticMarkup(<Head view={view ?? missingPage()} />)
  const body = renderToStaticMarkup(<Layout view={view ?? missingPage()} sections={catalogue.sections} />)
  return { statusCode: view ? 200 : 404, html: wrapInShell(body, head, { lang: 'en' }) }
}

function viewOf(catalogue: Catalogue, request: PageRequest): PageView | undefined {
  switch (request.page) {
    case 'home':
      return homePage(catalogue.sections)
    case 'document': {
      const article = catalogue.article(request.path)
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
