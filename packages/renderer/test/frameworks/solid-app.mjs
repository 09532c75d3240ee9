import { createResource, Suspense } from 'solid-js'
import { createComponent, escape as escaped, ssr } from 'solid-js/web'
import { late, lines } from './late.mjs'

// Written as Solid's compiler writes JSX for the server.

function Late({ end, signal }) {
  const [text] = createResource(() => late(end, signal))
  return ssr(['<p>', '</p>'], () => escaped(text()))
}

function Shell({ end }) {
  if (end === 'shell') throw new RangeError('in the shell')
  const items = lines.map(line => ssr(['<li>', '</li>'], escaped(line)))
  return ssr(['<ul>', '</ul>'], items)
}

function Last(props) {
  return createComponent(Suspense, {
    fallback: ssr('<i>soon</i>'),
    get children() {
      return createComponent(Late, props)
    },
  })
}

export function App(props) {
  const last = props.end !== 'none' && createComponent(Last, props)
  return ssr(['<main>', '', '</main>'], escaped(createComponent(Shell, props)), escaped(last))
}
