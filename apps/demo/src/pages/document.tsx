import type { ReactNode } from 'react'
import type { Entry, Section } from '../catalogue.js'
import { documentRoute } from '../links.js'
import type { Heading } from '../outline.js'
import { layoutId } from '../sanitise.js'
import type { PageView } from './layout.js'
import { Link } from './link.js'

export function documentPage(article: Entry & { html: string }, sections: readonly Section[]): PageView {
  const { source, title, summary, headings, html } = article
  const entries = sections.flatMap(section => section.entries)
  const position = entries.findIndex(entry => entry.source.path === source.path)
  const section = sections.find(section => section.entries.includes(entries[position] as Entry))
  const contents = headings.filter(({ level }) => level <= 3)
  return {
    title,
    description: summary || `${title}, of the documentation of ${source.project}.`,
    current: article,
    ...(contents.length > 1 && { aside: <Contents headings={contents} /> }),
    content: (
      <>
        <div className="document-top">
          <nav aria-label="Breadcrumbs">
            <ol className="breadcrumbs">
              <li>
                <Link to="/">Documents</Link>
              </li>
              {section && (
                <li>
                  <Link to={`/#${section.id}`}>{section.title}</Link>
                </li>
              )}
              <li aria-current="page">{title}</li>
            </ol>
          </nav>
          {contents.length > 1 && (
            <button type="button" className="contents-button" popoverTarget={layoutId('contents')}>
              On this page
            </button>
          )}
        </div>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: it has been through the sanitiser */}
        <article className="prose" dangerouslySetInnerHTML={{ __html: html }} />
        <p className="source">
          From {source.project}. <a href={source.address}>View the source</a>
        </p>
        <Neighbours previous={entries[position - 1]} next={entries[position + 1]} />
      </>
    ),
  }
}

function Contents({ headings }: { headings: Heading[] }): ReactNode {
  return (
    <aside id={layoutId('contents')} className="contents" popover="auto">
      <nav aria-labelledby={layoutId('contents-title')}>
        <h2 id={layoutId('contents-title')}>On this page</h2>
        <ul>
          {headings.map(({ id, text, level }) => (
            <li key={id} className={`level-${level}`}>
              <a href={`#${id}`}>{text}</a>
            </li>
          ))}
        </ul>
      </nav>
    </aside>
  )
}

function Neighbours({ previous, next }: { previous: Entry | undefined; next: Entry | undefined }): ReactNode {
  return (
    <nav className="neighbours" aria-label="Previous and next document">
      {previous && (
        <Link rel="prev" to={documentRoute(previous.source.path)}>
          <span>Previous</span> {previous.title}
        </Link>
      )}
      {next && (
        <Link rel="next" to={documentRoute(next.source.path)}>
          <span>Next</span> {next.title}
        </Link>
      )}
    </nav>
  )
}
