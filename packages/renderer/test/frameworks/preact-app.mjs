import { h } from 'preact'
import { Suspense } from 'preact/compat'
import { late, lines } from './late.mjs'

/** A component that suspends once, as `lazy` and libraries for data do. */
function suspending({ end, signal }) {
  let text
  return () => {
    if (text) return h('p', null, text)
    throw late(end, signal).then(came => {
      text = came
    })
  }
}

function Shell({ end }) {
  if (end === 'shell') throw new RangeError('in the shell')
  const items = lines.map(line => h('li', { key: line }, line))
  return h('ul', null, items)
}

export function app(props) {
  const last = props.end !== 'none' && h(Suspense, { fallback: h('i', null, 'soon') }, h(suspending(props)))
  return h('main', null, h(Shell, props), last)
}
