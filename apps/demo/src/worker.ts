import { defineRenderer, type Renderable } from '@scratchyjs/renderer/worker'
import { Catalogue } from './catalogue.js'
import { type BookRequest, type PageRequest, renderBook, renderPage } from './page.js'
import { findSources } from './sources.js'

const pages: Renderable = defineRenderer({
  setup: async () => Catalogue.open(findSources()),

  render(context, { env: catalogue, response }) {
    const request = context.props as PageRequest | BookRequest
    if (request.page === 'book') return renderBook(catalogue, request)
    const { statusCode, html } = renderPage(catalogue, request)
    response.status(statusCode)
    return html
  },
})

export default pages
