// The last step of the build: outlines of all documents as they are now.
import { readFileSync, writeFileSync } from 'node:fs'
import { createHighlighter } from './highlight.js'
import { linkMap } from './links.js'
import { createMarkdownReader } from './markdown.js'
import { digestOf, type OutlineStore, storeFile } from './outline-store.js'
import { findSources } from './sources.js'

const sources = findSources()
const reader = createMarkdownReader(await createHighlighter(), linkMap(sources))
const outlines: OutlineStore = Object.fromEntries(
  sources.documents.map(source => {
    const markdown = readFileSync(source.file, 'utf8')
    return [digestOf(source, markdown), reader.outline(markdown, source)]
  }),
)
writeFileSync(storeFile, JSON.stringify(outlines))
