import { defineRenderer, type Renderable } from '@scratchyjs/renderer/worker'
import { pageText } from './page-text.js'

const pages = new Map<string, string>()

const renderer: Renderable = defineRenderer({
  render({ props: { bytes, ascii } }) {
    const key = `${bytes} ${ascii}`
    const page = pages.get(key) ?? pageText(bytes, ascii)
    pages.set(key, page)
    return page
  },
})

export default renderer
