import type { Element, Root, RootContent } from 'hast'
import { toString as textOf } from 'hast-util-to-string'
import { visit } from 'unist-util-visit'
import type { DocumentSource } from './sources.js'

/** A heading below the title; `id` is the anchor to it. */
export interface Heading {
  id: string
  text: string
  /** 2 to 6 */
  level: number
}

/** What a list of documents says about one. */
export interface Outline {
  title: string
  /** The document's first sentence; may be empty. */
  summary: string
  headings: Heading[]
}

/**
 * Gives a document one `h1`, its title, with the other headings below it without a gap, and tells what is in it.
 *
 * Fastify's documents start with a banner ("Fastify" as `h1`), and most go on with the title as `h2`. Where the first
 * heading is no title but the first of many sections, the file's name is the title.
 */
export function takeOutline(tree: Root, source: DocumentSource): Outline {
  const { path, banner = '' } = source
  const fileTitle = titleFromPath(path, banner)
  const first = tree.children.findIndex(isHeading)
  if (banner && first !== -1 && sameWords(textOf(tree.children[first] as Element), banner)) {
    tree.children.splice(first, 1)
  }

  const headings = tree.children.filter(isHeading)
  const lead = leadHeading(tree)
  if (lead && isTitle(lead, headings, fileTitle)) {
    lead.tagName = 'h1'
    tree.children = [lead, ...tree.children.filter(node => node !== lead)]
  } else {
    tree.children.unshift({
      type: 'element',
      tagName: 'h1',
      properties: {},
      children: [{ type: 'text', value: fileTitle }],
    })
  }
  const [title, ...below] = tree.children.filter(isHeading) as [Element, ...Element[]]
  closeGap(below)
  return {
    title: words(textOf(title)),
    summary: firstSentence(tree),
    headings: below.flatMap(heading =>
      heading.properties.id === undefined
        ? []
        : [{ id: `${heading.properties.id}`, text: words(textOf(heading)), level: levelOf(heading) }],
    ),
  }
}

/** `Guides/Write-Plugin` is "Write Plugin", `Reference/Index` is "Reference", a project's own `index` has its name. */
function titleFromPath(path: string, project: string): string {
  const parts = path.split('/')
  const last = parts.pop() as string
  const name = last.toLowerCase() === 'index' ? (parts.pop() ?? project) : last
  const spaced = name.replaceAll('-', ' ')
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** The heading that a document starts with, if nothing but anchors and comments stand before it. */
function leadHeading(tree: Root): Element | undefined {
  const first = tree.children.find(node => {
    if (node.type !== 'element') return node.type === 'text' && node.value.trim() !== ''
    return isHeading(node) || textOf(node).trim() !== ''
  })
  return first && isHeading(first) ? first : undefined
}

function isTitle(lead: Element, headings: Element[], fileTitle: string): boolean {
  if (lead.tagName === 'h1' || sameWords(textOf(lead), fileTitle)) return true
  return headings.filter(({ tagName }) => tagName === lead.tagName).length === 1
}

/** Lifts headings so that the highest is an `h2`: the outline of a document skips no level at its top. */
function closeGap(headings: Element[]): void {
  const lift = Math.min(...headings.map(levelOf)) - 2
  for (const heading of headings) heading.tagName = `h${Math.min(levelOf(heading) - lift, 6)}`
}

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' })

function firstSentence(tree: Root): string {
  let text = ''
  visit(tree, 'element', node => {
    if (text !== '') return false
    if (node.tagName === 'p') text = words(textOf(node))
    return node.tagName === 'p' || node.tagName === 'blockquote' ? 'skip' : true
  })
  let sentence = ''
  for (const { segment } of sentences.segment(text)) {
    sentence += segment
    // A sentence does not end after "e.g." or "i.e.", whatever the segmenter thinks.
    if (!/\b(?:e\.g|i\.e|etc|vs)\.\s*$/i.test(sentence)) break
  }
  // A sentence that leads to a list stands alone here.
  const whole = sentence.trim().replace(/:$/, '.')
  return whole.length <= 220 ? whole : `${whole.slice(0, whole.lastIndexOf(' ', 219))} …`
}

const isHeading = (node: RootContent): node is Element =>
  node.type === 'element' && /^h[1-6]$/.test(node.tagName)

const levelOf = ({ tagName }: Element): number => Number(tagName.slice(1))

const words = (text: string): string => text.replace(/\s+/g, ' ').trim()

const sameWords = (a: string, b: string): boolean => bare(a) === bare(b)

const bare = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
