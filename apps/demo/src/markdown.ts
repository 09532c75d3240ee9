import type { Element, Root } from 'hast'
import rehypeRaw from 'rehype-raw'
import rehypeSanitize from 'rehype-sanitize'
import rehypeSlug from 'rehype-slug'
import rehypeStringify from 'rehype-stringify'
import remarkGfm from 'remark-gfm'
import remarkParse from 'remark-parse'
import remarkRehype from 'remark-rehype'
import { unified } from 'unified'
import { visit } from 'unist-util-visit'
import { asChapter, chapterLinks } from './chapter.js'
import { type Highlighter, highlightCode } from './highlight.js'
import { addressed, type LinkMap, rewriteLinks } from './links.js'
import { type Outline, takeOutline } from './outline.js'
import { anchorNames, schema, uniqueIds } from './sanitise.js'
import { type Address, liveSite } from './site.js'
import type { DocumentSource } from './sources.js'

/** Reads Markdown. */
export interface MarkdownReader {
  /** What a list of documents needs to know of one: no colours, no HTML. */
  outline(markdown: string, source: DocumentSource): Outline
  /** A document's HTML, safe to show: the same bytes for the same Markdown on every thread. */
  article(markdown: string, source: DocumentSource, address?: Address): Outline & { html: string }
  /** The same as a part of the book of all documents. */
  chapter(markdown: string, source: DocumentSource, address: Address): string
}

export function createMarkdownReader(highlighter: Highlighter, links: LinkMap): MarkdownReader {
  const parser = unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(remarkRehype, { allowDangerousHtml: true })
    .use(rehypeRaw)
    .use(anchorNames)
    .use(rehypeSanitize, schema)
    .use(rehypeSlug)
    .use(uniqueIds)
    .freeze()
  const stringifier = unified()
    .use(() => highlightCode(highlighter))
    .use(framesForPages)
    .use(rehypeStringify)
    .freeze()

  const parse = (markdown: string): Root => parser.runSync(parser.parse(markdown))
  const stringify = (tree: Root): string => stringifier.stringify(stringifier.runSync(tree))

  return {
    outline: (markdown, source) => takeOutline(parse(markdown), source),
    article(markdown, source, address = liveSite.address) {
      const tree = parse(markdown)
      const outline = takeOutline(tree, source)
      rewriteLinks(addressed(links(source), address))(tree)
      return { ...outline, html: stringify(tree) }
    },
    chapter(markdown, source, address) {
      const tree = parse(markdown)
      takeOutline(tree, source)
      rewriteLinks(addressed(chapterLinks(links(source), source.path), address))(tree)
      asChapter(source.path)(tree)
      return stringify(tree)
    },
  }
}

/** What readers of a page want around the author's words: links to sections, tables that scroll by themselves. */
function framesForPages() {
  return (tree: Root): void => {
    visit(tree, 'element', (node, index, parent) => {
      if (/^h[2-6]$/.test(node.tagName) && node.properties.id !== undefined) {
        node.children.push(sectionLink(`${node.properties.id}`))
      } else if (node.tagName === 'table' && parent && index !== undefined) {
        const frame: Element = {
          type: 'element',
          tagName: 'div',
          properties: { className: ['table'], tabIndex: 0, role: 'region', ariaLabel: 'Table' },
          children: [node],
        }
        parent.children[index] = frame
        return 'skip'
      }
      return true
    })
  }
}

/** Empty, its sign comes from the stylesheet: the heading's text stays the author's. */
const sectionLink = (id: string): Element => ({
  type: 'element',
  tagName: 'a',
  properties: { className: ['section-link'], href: `#${id}`, ariaHidden: 'true', tabIndex: -1 },
  children: [],
})
