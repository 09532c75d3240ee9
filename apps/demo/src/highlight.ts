import rehypeShiki from '@shikijs/rehype/core'
import type { Element, Root } from 'hast'
import {
  createCssVariablesTheme,
  createHighlighter as createShiki,
  type HighlighterGeneric,
  type ShikiTransformer,
} from 'shiki'
import type { Transformer } from 'unified'

// Colours are variables, and each token gets the variable's name as its class: the stylesheet gives them their values
// for light and for dark, and the content security policy needs no exception for inline styles.
const theme = createCssVariablesTheme({ name: 'portal', variablePrefix: '--shiki-' })

// What the documents use today; anything else is shown as plain text.
const languages = [
  'bash',
  'docker',
  'html',
  'ini',
  'javascript',
  'json',
  'jsonc',
  'jsx',
  'markdown',
  'nginx',
  'sql',
  'toml',
  'tsx',
  'typescript',
  'yaml',
]

export type Highlighter = HighlighterGeneric<string, string>

/** Loads the grammars. Takes some 100 ms; once per thread. */
export const createHighlighter = (): Promise<Highlighter> =>
  createShiki({ themes: [theme], langs: languages }) as Promise<Highlighter>

const styleToClass: ShikiTransformer = {
  name: 'style-to-class',
  pre({ properties }) {
    delete properties.style
    properties.class = 'shiki'
  },
  span({ properties }) {
    const style = `${properties.style ?? ''}`
    delete properties.style
    const classes = [
      /--shiki-token-([a-z-]+)/.exec(style)?.[1],
      /font-weight:bold/.test(style) && 'bold',
      /font-style:italic/.test(style) && 'italic',
    ].filter(Boolean)
    if (classes.length > 0) properties.class = classes.join(' ')
  },
  line(line) {
    // A token in the text's own colour needs no element.
    line.children = line.children.flatMap(child =>
      child.type === 'element' && !child.properties.class ? (child as Element).children : [child],
    )
  },
}

/** rehype plugin: colours the blocks of code. It runs after the sanitiser, so its classes stay. */
export const highlightCode = (highlighter: Highlighter): Transformer<Root, Root> =>
  rehypeShiki(highlighter, {
    theme: theme.name as string,
    defaultLanguage: 'text',
    fallbackLanguage: 'text',
    // By default a line that takes half a second loses its colours: on a busy machine, one page in many would differ.
    tokenizeTimeLimit: 0,
    transformers: [styleToClass],
  })
