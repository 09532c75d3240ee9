import type { Root } from 'hast'
import { defaultSchema, type Options as Schema } from 'rehype-sanitize'
import { visit } from 'unist-util-visit'

const everywhere = (defaultSchema.attributes?.['*'] ?? []).filter(
  name => !['accessKey', 'action', 'encType', 'htmlFor', 'method', 'name', 'tabIndex'].includes(`${name}`),
)

/**
 * What GitHub lets through, with two changes: no attribute that forms or focus use, and ids keep their names, because
 * links point to them. Nothing in our scripts looks a name up on `window` or `document`, so an id can't stand in for it.
 */
export const schema: Schema = {
  ...defaultSchema,
  attributes: { ...defaultSchema.attributes, '*': everywhere },
  clobber: [],
}

/** The ids of the layout; a document can't have one. */
export const layoutId = (name: string): string => `page:${name}`

/** Before the sanitiser: the old `<a name="x">` is an anchor too. */
export function anchorNames() {
  return (tree: Root): void => {
    visit(tree, 'element', ({ tagName, properties }) => {
      if (tagName === 'a' && properties.id === undefined && typeof properties.name === 'string') {
        properties.id = properties.name
      }
    })
  }
}

/** After the headings got theirs: every id once, and on a heading rather than on an empty anchor before it. */
export function uniqueIds() {
  return (tree: Root): void => {
    const headings = new Set<string>()
    visit(tree, 'element', ({ tagName, properties }) => {
      if (/^h[1-6]$/.test(tagName) && properties.id !== undefined) headings.add(`${properties.id}`)
    })
    const seen = new Set<string>()
    visit(tree, 'element', ({ tagName, properties }) => {
      if (properties.id === undefined) return
      const id = `${properties.id}`
      const spare = !/^h[1-6]$/.test(tagName) && headings.has(id)
      if (spare || seen.has(id) || id.startsWith(layoutId(''))) delete properties.id
      else seen.add(id)
    })
  }
}
