import type { ReactNode } from 'react'
import type { Section } from '../catalogue.js'
import { bookRoute, documentRoute } from '../links.js'
import type { PageView } from './layout.js'
import { Link } from './link.js'

export function homePage(sections: readonly Section[]): PageView {
  const count = sections.reduce((sum, { entries }) => sum + entries.length, 0)
  return {
    title: 'All documents',
    description: `${count} documents about Fastify and scratchyjs, each rendered in a worker thread.`,
    wide: true,
    content: <Home sections={sections} count={count} />,
  }
}

function Home({ sections, count }: { sections: readonly Section[]; count: number }): ReactNode {
  return (
    <div className="home">
      <div className="hero">
        <h1>Pages from worker threads</h1>
        <p>
          {count} documents, parsed, highlighted and rendered with React in threads beside the one that
          answers you. That one only hands the bytes on, and keeps them for whoever asks next.
        </p>
        <ul className="hero-links" aria-label="Jump to a section">
          {sections.map(({ id, title, entries }) => (
            <li key={id}>
              <a href={`#${id}`}>
                {title} <span>{entries.length}</span>
              </a>
            </li>
          ))}
          <li>
            <Link to={bookRoute}>All on one page</Link>
          </li>
        </ul>
      </div>
      {sections.map(({ id, title, entries }) => (
        <section key={id} id={id} aria-labelledby={`${id}-title`}>
          <h2 id={`${id}-title`}>{title}</h2>
          <ul className="cards">
            {entries.map(({ source, title, summary }) => (
              <li key={source.path}>
                <h3>
                  <Link to={documentRoute(source.path)}>{title}</Link>
                </h3>
                {summary && <p>{summary}</p>}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}
