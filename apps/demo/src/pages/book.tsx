import type { ReactNode } from 'react'
import type { Entry, Section } from '../catalogue.js'
import { chapterId } from '../chapter.js'
import type { PageView } from './layout.js'

/** Where the chapters go: the one element of the page that is no React. */
export const chaptersPlace = '<div class="chapters"></div>'

export function bookPage(sections: readonly Section[]): PageView {
  const count = sections.reduce((sum, { entries }) => sum + entries.length, 0)
  return {
    title: 'All on one page',
    description: `All ${count} documents on one page, to search or to print.`,
    content: <Book sections={sections} count={count} />,
  }
}

function Book({ sections, count }: { sections: readonly Section[]; count: number }): ReactNode {
  return (
    <div className="book">
      <h1>All on one page</h1>
      <p className="lede">
        {count} documents, to search with your browser or to print. A worker thread renders one after the
        other, and each is on its way to you while the next one is being made.
      </p>
      <nav aria-label="Chapters" className="book-contents">
        {sections.map(({ id, title, entries }) => (
          <section key={id}>
            <h2>{title}</h2>
            <ol>
              {entries.map(entry => (
                <li key={entry.source.path}>
                  <a href={`#${encodeURI(chapterId(entry.source.path))}`}>{entry.title}</a>
                </li>
              ))}
            </ol>
          </section>
        ))}
      </nav>
      <div className="chapters" />
    </div>
  )
}

/** A chapter, of HTML that the sanitiser has passed. */
export function Chapter({ entry, html }: { entry: Entry; html: string }): ReactNode {
  return (
    <article
      id={chapterId(entry.source.path)}
      className="prose chapter"
      // biome-ignore lint/security/noDangerouslySetInnerHtml: it has been through the sanitiser
      dangerouslySetInnerHTML={{ __html: html }}
    />
  )
}
