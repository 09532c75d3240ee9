import { type ReactNode, useContext } from 'react'
import { assetsRoute } from '../assets.js'
import type { Entry, Section } from '../catalogue.js'
import { bookRoute, documentRoute } from '../links.js'
import { layoutId } from '../sanitise.js'
import { CurrentSite } from '../site.js'
import { Link } from './link.js'

/** One page: what its head says, and its content. */
export interface PageView {
  title: string
  description: string
  content: ReactNode
  /** The document that it shows. */
  current?: Entry
  /** What stands at the right on wide screens. */
  aside?: ReactNode
  /** What the search field holds. */
  query?: string
  /** No navigation at the left: the page is one by itself. */
  wide?: boolean
  /** A script of this page alone. */
  script?: string
}

export function Head({ view }: { view: PageView }): ReactNode {
  const { address } = useContext(CurrentSite)
  const asset = (name: string) => address(assetsRoute + name)
  return (
    <>
      <title>{`${view.title} · scratchyjs docs`}</title>
      <meta name="description" content={view.description} />
      <meta name="color-scheme" content="light dark" />
      <meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff" />
      <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0f1115" />
      <link rel="icon" type="image/svg+xml" href={asset('icon.svg')} />
      <link rel="stylesheet" href={asset('portal.css')} />
      <script type="module" src={asset('portal.js')} />
      {view.script && <script type="module" src={asset(view.script)} />}
    </>
  )
}

export function Layout({ view, sections }: { view: PageView; sections: readonly Section[] }): ReactNode {
  const main = layoutId('main')
  const { isLive } = useContext(CurrentSite)
  return (
    <>
      <a className="skip" href={`#${main}`}>
        Skip to the content
      </a>
      <Header query={view.query ?? ''} menu={!view.wide} />
      <div className={view.wide ? 'frame wide' : 'frame'}>
        {!view.wide && <Navigation sections={sections} current={view.current} />}
        <main id={main} tabIndex={-1}>
          {view.content}
        </main>
        {view.aside}
      </div>
      <footer className="page-footer">
        <p>
          Every page here is rendered in a worker thread by{' '}
          <Link to="/docs/packages/renderer">@scratchyjs/renderer</Link>;{' '}
          {isLive ? (
            <>
              the main thread hands its bytes on. See what that costs on the{' '}
              <Link to="/dashboard">dashboard</Link>.
            </>
          ) : (
            'this site is the files that it wrote.'
          )}
        </p>
      </footer>
    </>
  )
}

function Header({ query, menu }: { query: string; menu: boolean }): ReactNode {
  const { isLive } = useContext(CurrentSite)
  return (
    <header className="page-header">
      {menu && (
        <button type="button" className="menu-button" popoverTarget={layoutId('nav')}>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d="M3 5h14M3 10h14M3 15h14" />
          </svg>
          <span className="visually-hidden">Documents</span>
        </button>
      )}
      <Link className="brand" to="/">
        <Mark />
        <span>
          scratchyjs <span className="brand-part">docs</span>
        </span>
      </Link>
      {isLive && <SearchForm query={query} />}
      <nav aria-label="Site" className="site-links">
        <Link to={bookRoute}>Book</Link>
        {isLive && <Link to="/dashboard">Dashboard</Link>}
      </nav>
    </header>
  )
}

function SearchForm({ query }: { query: string }): ReactNode {
  return (
    <search>
      <form action="/search" method="get" className="search-form">
        <label htmlFor={layoutId('search')} className="visually-hidden">
          Search titles and headings
        </label>
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <circle cx="9" cy="9" r="5.5" />
          <path d="m13 13 4 4" />
        </svg>
        <input
          id={layoutId('search')}
          type="search"
          name="q"
          placeholder="Search"
          maxLength={100}
          defaultValue={query}
          autoComplete="off"
        />
      </form>
    </search>
  )
}

/** Two threads, and what passes between them. */
function Mark(): ReactNode {
  return (
    <svg className="mark" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M5 4v16M19 4v16" />
      <path className="mark-pass" d="M5 9h14M5 15h14" />
    </svg>
  )
}

function Navigation({
  sections,
  current,
}: {
  sections: readonly Section[]
  current: Entry | undefined
}): ReactNode {
  return (
    <nav id={layoutId('nav')} className="documents" aria-label="Documents" popover="auto">
      {sections.map(({ id, title, entries }) => (
        <section key={id}>
          <h2>{title}</h2>
          <ul>
            {entries.map(({ source, title }) => (
              <li key={source.path}>
                <Link
                  to={documentRoute(source.path)}
                  aria-current={source.path === current?.source.path ? 'page' : undefined}
                >
                  {title}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  )
}
