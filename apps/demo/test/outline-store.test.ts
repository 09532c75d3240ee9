import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createHighlighter } from '../src/highlight.js'
import { linkMap } from '../src/links.js'
import { createMarkdownReader } from '../src/markdown.js'
import { digestOf, type OutlineStore } from '../src/outline-store.js'
import { findSources } from '../src/sources.js'

it('the outlines that the build stored are those that a thread would make', async () => {
  const store: OutlineStore = JSON.parse(
    readFileSync(new URL('../dist/outlines.json', import.meta.url), 'utf8'),
  )
  const sources = findSources()
  const reader = createMarkdownReader(await createHighlighter(), linkMap(sources))
  // READMEs may have been edited since; what Fastify ships can't.
  for (const source of sources.documents.filter(({ banner }) => banner)) {
    const markdown = readFileSync(source.file, 'utf8')
    expect(store[digestOf(source, markdown)], source.path).toEqual(reader.outline(markdown, source))
  }
})
