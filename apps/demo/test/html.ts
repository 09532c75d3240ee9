import type { Element, Root } from 'hast'
import rehypeRaw from 'rehype-raw'
import { unified } from 'unified'
import { visit } from 'unist-util-visit'

/** Every element of a page or a part of one, as a browser's parser sees them. */
export function elementsOf(html: string): Element[] {
  const tree: Root = { type: 'root', children: [{ type: 'raw', value: html }] }
  const elements: Element[] = []
  visit(unified().use(rehypeRaw).runSync(tree), 'element', element => {
    elements.push(element)
  })
  return elements
}
