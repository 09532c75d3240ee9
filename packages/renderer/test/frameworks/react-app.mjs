import { createElement as h, Suspense, use } from 'react'
import { late, lines } from './late.mjs'

const Late = ({ wait }) => h('p', null, use(wait))

function Shell({ end }) {
  if (end === 'shell') throw new RangeError('in the shell')
  const items = lines.map(line => h('li', { key: line }, line))
  return h('ul', null, items)
}

export function App({ end }) {
  const last = end !== 'none' && h(Suspense, { fallback: h('i', null, 'soon') }, h(Late, { wait: late(end) }))
  return h('main', null, h(Shell, { end }), last)
}
