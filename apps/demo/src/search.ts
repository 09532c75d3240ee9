import type { Entry } from './catalogue.js'
import type { Heading } from './outline.js'

/** Longer questions are cut. */
export const maxQueryLength = 100

export interface Hit {
  entry: Entry
  /** The heading that was found; without one, the document's title was. */
  heading?: Heading
}

export interface SearchResult {
  /** The question as it was understood: trimmed, single spaces, cut. */
  query: string
  /** The best ones, best first. */
  hits: Hit[]
  total: number
}

const shown = 60

/** Finds every title and heading in which all the words of the question occur, in any order and any case. */
export function search(entries: readonly Entry[], question: string): SearchResult {
  const query = question.replace(/\s+/g, ' ').trim().slice(0, maxQueryLength).trim()
  const words = searchWords(query)
  if (words.length === 0) return { query, hits: [], total: 0 }
  const found: { hit: Hit; score: number }[] = []
  for (const entry of entries) {
    const score = scoreOf(entry.title, words)
    if (score > 0) found.push({ hit: { entry }, score: score + 10 })
    for (const heading of entry.headings) {
      const score = scoreOf(heading.text, words)
      if (score > 0) found.push({ hit: { entry, heading }, score: score + 6 - heading.level })
    }
  }
  // Sorting is stable: equals stay in the order of the navigation and of the document.
  found.sort((a, b) => b.score - a.score)
  return { query, hits: found.slice(0, shown).map(({ hit }) => hit), total: found.length }
}

/** The question's words, in lower case. */
export const searchWords = (query: string): string[] => query.toLowerCase().split(' ').filter(Boolean)

/** 0 when a word is missing; words at the start of a word of the text count more, and so do short texts. */
function scoreOf(text: string, words: string[]): number {
  const lower = text.toLowerCase()
  let score = 0
  for (const word of words) {
    const at = lower.indexOf(word)
    if (at === -1) return 0
    score += at === 0 || !/[\p{L}\p{N}]/u.test(lower.charAt(at - 1)) ? 8 : 4
  }
  return score / words.length + (8 * words.join(' ').length) / Math.max(lower.length, 1)
}
