import type { Properties, Root } from 'hast'
import { visit } from 'unist-util-visit'
import type { Address } from './site.js'
import type { DocumentSource, ImageSource, Sources } from './sources.js'

/** Where a page is served. */
export const documentRoute = (path: string): string => `/docs/${encodeURI(path)}`

/** All documents on one page. */
export const bookRoute = '/all'

/** What the addresses of the documents' images begin with. */
export const imagesRoute = '/files/'

const imageRoute = (path: string): string => imagesRoute + encodeURI(path)

/** Turns the links of a document as they work on its project's site into links as they work here. */
export type LinkMap = (source: DocumentSource) => Links

export interface Links {
  link(href: string): string
  image(src: string): string
}

export function linkMap({ documents, images }: Sources): LinkMap {
  const routes = new Map(documents.map(({ address, path }) => [address, documentRoute(path)]))
  const files = new Map(images.map(({ address, path }: ImageSource) => [address, imageRoute(path)]))
  return ({ address }) => ({
    link(href) {
      if (href.startsWith('#')) return href
      const target = new URL(href, address)
      const { hash } = target
      target.hash = ''
      if (target.href === address && hash) return hash
      const route = routes.get(target.href)
      if (route) return route + hash
      return isAbsolute(href) ? href : target.href + hash
    },
    image(src) {
      const target = new URL(src, address)
      const file = files.get(target.href)
      if (file) return file
      // GitHub shows a page about the image at its address, and the image itself under "raw".
      return isAbsolute(src) ? src : target.href.replace('/blob/', '/raw/')
    },
  })
}

/** The same links on a page that writes the portal's own routes in its way. */
export function addressed({ link, image }: Links, address: Address): Links {
  const ours = (target: string) => (/^\/(?!\/)/.test(target) ? address(target) : target)
  return { link: href => ours(link(href)), image: src => ours(image(src)) }
}

const isAbsolute = (href: string): boolean => /^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(href)

/** rehype plugin: every link and image by way of a document's map; what is no URL at all is no link. */
export function rewriteLinks({ link, image }: Links) {
  return (tree: Root): void => {
    visit(tree, 'element', ({ tagName, properties }) => {
      if (tagName === 'a') rewrite(properties, 'href', link)
      else if (tagName === 'img') rewrite(properties, 'src', image)
      else if (tagName === 'source') delete properties.srcSet
    })
  }
}

function rewrite(properties: Properties, name: string, map: (address: string) => string): void {
  const value = properties[name]
  if (typeof value !== 'string') return
  try {
    properties[name] = map(value)
  } catch {
    delete properties[name]
  }
}
