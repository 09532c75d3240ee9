import { defineRenderer, type Renderable } from '@scratchyjs/renderer/worker'
import { Catalogue } from './catalogue.js'
import { type PageRequest, renderPage } from './page.js'
import { findSources } from './sources.js'

const pages: Renderable = defineRenderer({
  setup: () => Catalogue.open(findSources()),

  async render(context, { env: catalogue, response }) {
    const { statusCode, html } = await renderPage(catalogue, context.props as PageRequest)
    response.status(statusCode)
    return html
  },
})

export default pages
