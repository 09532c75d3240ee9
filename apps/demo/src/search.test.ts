import { describe, expect, it } from 'vitest'
import type { Entry } from './catalogue.js'
import { maxQueryLength, search } from './search.js'

const entry = (title: string, ...headings: string[]): Entry => ({
  source: {
    path: title,
    section: 'Section',
    file: `/nowhere/${title}.md`,
    address: `https://example.com/${title}.md`,
    project: 'things 1.0.0',
  },
  title,
  summary: '',
  headings: headings.map(text => ({ id: text.toLowerCase(), text, level: 2 })),
})

const entries = [
  entry('Reply', 'Introduction', 'Sending an error', 'setErrorHandler'),
  entry('Hooks', 'onError', 'onRequest Hook'),
  entry('Errors', 'Error handling in hooks'),
]
const found = (question: string) =>
  search(entries, question).hits.map(({ entry, heading }) => heading?.text ?? entry.title)

describe('a search', () => {
  it('finds titles and headings that contain every word, in any order and case', () => {
    expect(found('ERROR hook')).toEqual(['Error handling in hooks'])
    expect(found('hook error')).toEqual(['Error handling in hooks'])
    expect(found('nothing')).toEqual([])
  })

  it('puts titles before headings, and starts of words before their middles', () => {
    expect(found('error')).toEqual([
      'Errors',
      'Sending an error',
      'Error handling in hooks',
      'onError',
      'setErrorHandler',
    ])
    expect(found('hooks')[0]).toBe('Hooks')
  })

  it('takes a question as it is meant', () => {
    expect(search(entries, '  hooks \t\n ').query).toBe('hooks')
    expect(search(entries, 'x'.repeat(5000)).query).toHaveLength(maxQueryLength)
    for (const nothing of ['', '   ', '\u00a0\u2003']) {
      expect(search(entries, nothing)).toEqual({ query: '', hits: [], total: 0 })
    }
    expect(found('.*')).toEqual([])
    expect(found('(')).toEqual([])
  })

  it('shows the best sixty, and says how many there are', () => {
    const many = [entry('Many', ...Array.from({ length: 100 }, (_, index) => `Topic ${index}`))]
    const { hits, total } = search(many, 'topic')
    expect(hits).toHaveLength(60)
    expect(total).toBe(100)
  })
})
