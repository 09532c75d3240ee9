import { readFile } from 'node:fs/promises'
import { createHighlighter } from './highlight.js'
import { linkMap } from './links.js'
import { createMarkdownReader, type MarkdownReader } from './markdown.js'
import type { Outline } from './outline.js'
import { digestOf, type OutlineStore, readOutlineStore } from './outline-store.js'
import type { DocumentSource, Sources } from './sources.js'

/** How often each document was invalidated, by path; a document that never was is not named. */
export type Revisions = Readonly<Record<string, number>>

export interface Entry extends Outline {
  source: DocumentSource
}

export interface Section {
  /** Anchor on the index page. */
  id: string
  title: string
  entries: Entry[]
}

interface Shelved extends Entry {
  markdown: string
  revision: number
}

/**
 * Every document, as one thread knows it: read once, and again when a page is asked for with a newer revision.
 * It holds Markdown and outlines; HTML is made anew for every page.
 */
export class Catalogue {
  readonly #sources: Sources
  readonly #reader: MarkdownReader
  readonly #outlines: OutlineStore = readOutlineStore()
  readonly #shelf = new Map<string, Shelved>()
  #sections: Section[] = []

  private constructor(sources: Sources, reader: MarkdownReader) {
    this.#sources = sources
    this.#reader = reader
  }

  /** Reads all documents; those that the build did not know are parsed now. */
  static async open(sources: Sources): Promise<Catalogue> {
    const reader = createMarkdownReader(await createHighlighter(), linkMap(sources))
    const catalogue = new Catalogue(sources, reader)
    for (const source of sources.documents) await catalogue.#read(source, 0)
    catalogue.#arrange()
    return catalogue
  }

  /** Reads again what was invalidated since this thread read it. A file that has gone has no page any more. */
  async refresh(revisions: Revisions): Promise<void> {
    let changed = false
    for (const source of this.#sources.documents) {
      const revision = revisions[source.path] ?? 0
      if (revision <= (this.#shelf.get(source.path)?.revision ?? 0)) continue
      await this.#read(source, revision)
      changed = true
    }
    if (changed) this.#arrange()
  }

  /** In the order of the navigation. */
  get sections(): readonly Section[] {
    return this.#sections
  }

  /** In the order of the navigation. */
  get entries(): Entry[] {
    return this.#sections.flatMap(section => section.entries)
  }

  /** A document's page; `undefined` when there is no document of that name, whatever else the name may be. */
  article(path: string): (Entry & { html: string }) | undefined {
    const shelved = this.#shelf.get(path)
    if (!shelved) return undefined
    return { source: shelved.source, ...this.#reader.article(shelved.markdown, shelved.source) }
  }

  async #read(source: DocumentSource, revision: number): Promise<void> {
    let markdown: string
    try {
      markdown = await readFile(source.file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#shelf.delete(source.path)
      return
    }
    const outline = this.#outlines[digestOf(source, markdown)] ?? this.#reader.outline(markdown, source)
    this.#shelf.set(source.path, { source, markdown, revision, ...outline })
  }

  #arrange(): void {
    const sections = new Map<string, Section>()
    for (const { path, section: title } of this.#sources.documents) {
      const entry = this.#shelf.get(path)
      if (!entry) continue
      const section = sections.get(title) ?? {
        id: title.toLowerCase().replaceAll(' ', '-'),
        title,
        entries: [],
      }
      section.entries.push(entry)
      sections.set(title, section)
    }
    this.#sections = [...sections.values()]
    for (const { entries } of this.#sections) entries.sort(byTitle)
  }
}

/** Tables of contents first, then by title. No locale has a say in it, so that every thread agrees. */
function byTitle(a: Entry, b: Entry): number {
  const [first, second] = [sortKey(a), sortKey(b)]
  return first === second ? 0 : first < second ? -1 : 1
}

const sortKey = ({ source, title }: Entry): string =>
  /(^|\/)index$/i.test(source.path) ? '' : title.toLowerCase()
