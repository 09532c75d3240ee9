import { createSSRApp, defineComponent, h, Suspense } from 'vue'
import { late, lines } from './late.mjs'

const props = ['end', 'signal']

const Late = defineComponent({
  props,
  async setup({ end, signal }) {
    const text = await late(end, signal)
    return () => h('p', text)
  },
})

const Shell = defineComponent({
  props,
  setup: given => () => {
    if (given.end === 'shell') throw new RangeError('in the shell')
    const items = lines.map(line => h('li', line))
    return h('ul', items)
  },
})

const App = defineComponent({
  props,
  setup: given => () => h('main', [h(Shell, given), h(Suspense, () => h(Late, given))]),
})

export function app(given) {
  const vue = createSSRApp(App, given)
  vue.config.warnHandler = () => {} // of the errors that the tests make
  // In production Vue logs a component's error and leaves the component out, unless it is told so.
  vue.config.throwUnhandledErrorInProduction = true
  return vue
}
