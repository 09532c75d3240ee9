import type { ReactNode } from 'react'
import { documentRoute } from '../links.js'
import { type Hit, type SearchResult, searchWords } from '../search.js'
import type { PageView } from './layout.js'

export function searchPage(result: SearchResult): PageView {
  const { query } = result
  return {
    title: query ? `${query} – search` : 'Search',
    description: 'Search the titles and headings of all documents.',
    query,
    content: <Results result={result} />,
  }
}

function Results({ result: { query, hits, total } }: { result: SearchResult }): ReactNode {
  const words = searchWords(query)
  return (
    <div className="results">
      <h1>
        {query ? (
          <>
            Results for <q>{query}</q>
          </>
        ) : (
          'Search'
        )}
      </h1>
      <p role="status">{summary(query, hits.length, total)}</p>
      {hits.length > 0 && (
        <ol>
          {hits.map(hit => (
            <li key={routeOf(hit)}>
              <Result hit={hit} words={words} />
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}

function summary(query: string, shown: number, total: number): string {
  if (!query) return 'Type one or more words: documents and headings that contain all of them are found.'
  if (total === 0) {
    return 'No title or heading contains all of these words. Try fewer words, or only the start of one.'
  }
  if (shown < total) return `The best ${shown} of ${total} titles and headings.`
  return total === 1 ? 'One title or heading.' : `${total} titles and headings.`
}

function Result({ hit, words }: { hit: Hit; words: string[] }): ReactNode {
  const { entry, heading } = hit
  return (
    <a href={routeOf(hit)}>
      <span className="result-title">
        <Marked text={heading?.text ?? entry.title} words={words} />
      </span>
      <span className="result-place">
        {entry.source.section}
        {heading && ` › ${entry.title}`}
      </span>
      {!heading && entry.summary && <span className="result-summary">{entry.summary}</span>}
    </a>
  )
}

const routeOf = ({ entry, heading }: Hit): string =>
  documentRoute(entry.source.path) + (heading ? `#${encodeURIComponent(heading.id)}` : '')

function Marked({ text, words }: { text: string; words: string[] }): ReactNode {
  const pattern = new RegExp(`(${words.map(escapeRegExp).join('|')})`, 'iu')
  // Splitting by a group puts what it matched at the odd places.
  return text.split(pattern).map((part, index) => {
    const key = `${index}`
    return index % 2 === 1 ? <mark key={key}>{part}</mark> : part
  })
}

const escapeRegExp = (word: string): string => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
