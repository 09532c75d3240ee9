import { readFileSync, statSync } from 'node:fs'
import { createHighlighter } from './highlight.js'
import { linkMap } from './links.js'
import { createMarkdownReader, type MarkdownReader } from './markdown.js'
import type { Outline } from './outline.js'
import { digestOf, type OutlineStore, readOutlineStore } from './outline-store.js'
import type { Address } from './site.js'
import type { DocumentSource, Sources } from './sources.js'

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
  /** Which state of the file this is. */
  version: string
}

/**
 * Every document, as one thread knows it. It holds Markdown and outlines, and reads a file again when it has changed;
 * HTML is made anew for every page. Whether a page has to be made at all is not its concern, but that of the page cache.
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
    catalogue.refresh()
    return catalogue
  }

  /** Reads again what has changed on disk, so that no page is made of anything older. A file that has gone has no page. */
  refresh(): void {
    let changed = false
    for (const source of this.#sources.documents) {
      const version = versionOf(source.file)
      if (version === this.#shelf.get(source.path)?.version) continue
      changed = true
      if (version === undefined) this.#shelf.delete(source.path)
      else this.#read(source, version)
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
  article(path: string, address?: Address): (Entry & { html: string }) | undefined {
    const shelved = this.#shelf.get(path)
    if (!shelved) return undefined
    return { source: shelved.source, ...this.#reader.article(shelved.markdown, shelved.source, address) }
  }

  /** A document's part of the book. */
  chapter({ source }: Entry, address: Address): string {
    const shelved = this.#shelf.get(source.path)
    return shelved ? this.#reader.chapter(shelved.markdown, source, address) : ''
  }

  #read(source: DocumentSource, version: string): void {
    const markdown = readFileSync(source.file, 'utf8')
    const outline = this.#outlines[digestOf(source, markdown)] ?? this.#reader.outline(markdown, source)
    this.#shelf.set(source.path, { source, markdown, version, ...outline })
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

/** Changes with the file, whoever writes it and however: the time is that of the inode, which nobody can set. */
function versionOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino} ${found.ctimeNs} ${found.size}`
}

/** Tables of contents first, then by title. No locale has a say in it, so that every thread agrees. */
function byTitle(a: Entry, b: Entry): number {
  const [first, second] = [sortKey(a), sortKey(b)]
  return first === second ? 0 : first < second ? -1 : 1
}

const sortKey = ({ source, title }: Entry): string =>
  /(^|\/)index$/i.test(source.path) ? '' : title.toLowerCase()
