import type { Root } from 'hast'
import { visit } from 'unist-util-visit'
import { documentRoute, type Links } from './links.js'

const documentsRoute = documentRoute('')

/** The anchor of a document in the book, or of one of its headings. */
export const chapterId = (path: string, id?: string): string => (id === undefined ? path : `${path}:${id}`)

/** Links between documents as links within the book. */
export function chapterLinks({ link, image }: Links, path: string): Links {
  return {
    image,
    link(href) {
      const target = link(href)
      if (target === '#') return `#${encodeURI(chapterId(path))}`
      if (target.startsWith('#')) return `#${encodeURI(chapterId(path))}:${target.slice(1)}`
      return target.startsWith(documentsRoute)
        ? `#${target.slice(documentsRoute.length).replace('#', ':')}`
        : target
    },
  }
}

/** rehype plugin: each document of the book has ids of its own, and headings below the book's. */
export function asChapter(path: string) {
  return (tree: Root): void => {
    visit(tree, 'element', element => {
      const { tagName, properties } = element
      if (properties.id !== undefined) properties.id = chapterId(path, `${properties.id}`)
      if (/^h[1-5]$/.test(tagName)) element.tagName = `h${Number(tagName[1]) + 1}`
    })
  }
}
