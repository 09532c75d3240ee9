import { readFileSync } from 'node:fs'
import { toString as textOf } from 'hast-util-to-string'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { elementsOf } from '../test/html.js'
import { createHighlighter } from './highlight.js'
import { linkMap } from './links.js'
import { createMarkdownReader, type MarkdownReader } from './markdown.js'
import { type DocumentSource, findSources } from './sources.js'

const sources = findSources()
const fastify = sources.documents.filter(({ project }) => project.startsWith('fastify '))
let reader: MarkdownReader

beforeAll(async () => {
  reader = createMarkdownReader(await createHighlighter(), linkMap(sources))
})

const note: DocumentSource = {
  path: 'notes/Note',
  section: 'Notes',
  file: '/nowhere/Note.md',
  address: 'https://example.com/notes/blob/main/docs/Note.md',
  project: 'notes 1.0.0',
}

const html = (markdown: string): string => reader.article(markdown, note).html

describe('the documents that Fastify ships', () => {
  it('are some forty', () => expect(fastify.length).toBeGreaterThanOrEqual(35))

  it.each(fastify.map(source => [source.path, source] as const))('%s becomes a page', (_, source) => {
    const markdown = readFileSync(source.file, 'utf8')
    const { html, ...outline } = reader.article(markdown, source)
    const { title, headings } = outline
    // What the navigation and the search say of it is what its page says.
    expect(reader.outline(markdown, source)).toEqual(outline)

    const elements = elementsOf(html)
    const first = elements.filter(({ tagName }) => tagName === 'h1')
    expect(first.map(heading => textOf(heading).replace(/\s+/g, ' '))).toEqual([title])
    expect(title).not.toBe('')

    const ids = elements.flatMap(({ properties }) => properties.id ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    for (const { id } of headings) expect(ids).toContain(id)

    const blocks = elements.filter(({ tagName }) => tagName === 'pre')
    for (const { properties } of blocks) expect(properties.className).toEqual(['shiki'])
    expect(html).not.toMatch(/\sstyle=/)
  })
})

describe('hostile Markdown', () => {
  const attacks = [
    '<script>alert(1)</script>',
    '<SCRIPT SRC=//evil.example/x.js></SCRIPT>',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:alert(1)">a</a>',
    '[a](javascript:alert(1))',
    '[a](JaVaScRiPt&#58;alert(1))',
    '[a](data:text/html,<script>alert(1)</script>)',
    '![a](javascript:alert(1))',
    '<svg onload=alert(1)><script>alert(1)</script></svg>',
    '<math><mi xlink:href="javascript:alert(1)">x</mi></math>',
    '<iframe src="javascript:alert(1)"></iframe>',
    '<form action="/api/invalidate" method="post"><button formaction="javascript:alert(1)">x</button></form>',
    '<input autofocus onfocus=alert(1)>',
    '<div style="background:url(javascript:alert(1))" onclick="alert(1)">x</div>',
    '<style>body{display:none}</style>',
    '<base href="//evil.example/">',
    '<meta http-equiv="refresh" content="0;url=//evil.example">',
    '<object data="x"></object><embed src="x">',
    '<details open ontoggle=alert(1)><summary>x</summary></details>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    '</article></main><script>alert(1)</script>',
    '```js\n</code></pre><script>alert(1)</script>\n```',
    '```"><script>alert(1)</script>\nx\n```',
    '<a id="page:main" name="page:nav">x</a>',
    '# Heading <img src=x onerror=alert(1)>',
    '| a |\n| - |\n| <img src=x onerror=alert(1)> |',
  ]

  it.each(attacks)('%s stays harmless', attack => {
    for (const markdown of [attack, `# Title\n\nText ${attack}\n\n> ${attack.replaceAll('\n', '\n> ')}`]) {
      const { html, title } = reader.article(markdown, note)
      expect(title).not.toMatch(/[<>]/)
      for (const { tagName, properties } of elementsOf(html)) {
        expect(tagName).not.toMatch(
          /^(?:script|style|iframe|object|embed|form|button|base|meta|link|svg|math|noscript)$/,
        )
        for (const [name, value] of Object.entries(properties)) {
          expect(name).not.toMatch(/^(?:on|style$|formAction$|srcDoc$|name$|autoFocus$)/i)
          expect(`${value}`).not.toMatch(/^\s*(?:javascript|data|vbscript):/i)
          if (name === 'id') expect(value).not.toMatch(/^page:/)
        }
      }
    }
  })
})

describe('links', () => {
  const from = (path: string, markdown: string) => {
    const source = sources.documents.find(document => document.path === path) as DocumentSource
    const link = elementsOf(reader.article(`# T\n\n${markdown}`, source).html).find(
      ({ properties }) => properties.href ?? properties.src,
    )
    return link?.properties.href ?? link?.properties.src
  }
  const site = fastify[0]?.address.replace(/docs\/.*/, '')

  it.each([
    ['./Reply.md', '/docs/Reference/Reply'],
    ['./Reply.md#send', '/docs/Reference/Reply#send'],
    ['../Guides/Testing.md#plugins', '/docs/Guides/Testing#plugins'],
    ['Reply.md', '/docs/Reference/Reply'],
    ['#send', '#send'],
    ['./Hooks.md#onrequest', '#onrequest'],
    ['./Hooks.md', '/docs/Reference/Hooks'],
    ['../index.md', '/docs/index'],
    ['./Nowhere.md#x', `${site}docs/Reference/Nowhere.md#x`],
    ['../../lib/hooks.js', `${site}lib/hooks.js`],
    ['../../../../../../etc/passwd', 'https://github.com/etc/passwd'],
    ['https://nodejs.org/api/', 'https://nodejs.org/api/'],
    ['mailto:someone@example.com', 'mailto:someone@example.com'],
    ['//example.com/x', '//example.com/x'],
    ['http://[', undefined],
  ])('in Reference/Hooks, %s leads to %s', (href, expected) => {
    expect(from('Reference/Hooks', `[x](${href})`)).toBe(expected)
  })

  it('lead to images that lie beside the documents, or to the project’s site', () => {
    expect(from('Reference/Encapsulation', '![x](../resources/encapsulation_context.svg)')).toBe(
      '/files/fastify/resources/encapsulation_context.svg',
    )
    expect(from('Reference/Encapsulation', '![x](./missing.png)')).toBe(
      `${site?.replace('/blob/', '/raw/')}docs/Reference/missing.png`,
    )
  })
})

describe('code', () => {
  it('is coloured by classes', () => {
    const page = html('```ts\nconst answer: number = 42 // known\n```')
    expect(page).toContain('<pre class="shiki"')
    expect(page).toContain('<span class="keyword">const</span>')
    expect(page).toContain('<span class="comment"> // known</span>')
  })

  it('has the same colours on a machine however slow', () => {
    const markdown = "```js\nfastify.register(require('@fastify/express'), { prefix: '/x' })\n```"
    const quick = html(markdown)
    let now = 0
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => (now += 1000))
    const slow = html(markdown)
    clock.mockRestore()
    expect(now).toBeGreaterThan(0)
    expect(slow).toBe(quick)
  })

  it('in a language that nobody knows is text', () => {
    const page = html('```klingon\nif (a < b) { "tlh" }\n```')
    expect(page).toContain('<pre class="shiki"')
    expect(elementsOf(page).find(({ tagName }) => tagName === 'pre')).toSatisfy(
      (pre: Parameters<typeof textOf>[0]) => textOf(pre) === 'if (a < b) { "tlh" }',
    )
  })
})

describe('GitHub’s Markdown', () => {
  it('has tables, task lists, footnotes and struck text', () => {
    const page = html('| a |\n| - |\n| 1 |\n\n- [x] done\n\nNote[^1], ~~gone~~.\n\n[^1]: Here.')
    const tags = elementsOf(page).map(({ tagName }) => tagName)
    expect(tags).toEqual(expect.arrayContaining(['table', 'input', 'sup', 'del']))
    const ids = elementsOf(page).flatMap(({ properties }) => `${properties.id ?? ''}` || [])
    const targets = elementsOf(page).flatMap(({ properties }) => `${properties.href ?? ''}` || [])
    for (const target of targets) expect(ids).toContain(target.slice(1))
  })
})
