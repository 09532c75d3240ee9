import { defineRenderer } from '@scratchyjs/renderer/worker'
import { createComponent, renderToStream, renderToString, renderToStringAsync } from 'solid-js/web'
import { App } from './solid-app.mjs'

function guarded(renderTo, code) {
  let failure
  const page = renderTo(() => {
    try {
      return code()
    } catch (error) {
      failure = { error }
    }
  })
  if (failure) throw failure.error
  return page
}

function streamed(code) {
  const { pipe } = guarded(renderToStream, code)
  return { pipe }
}

const routes = {
  streamed: props => streamed(() => createComponent(App, props)),
  async: (props, { signal }) =>
    guarded(renderToStringAsync, () => createComponent(App, { ...props, signal })),
  thenable: (props, { signal }) => guarded(renderToStream, () => createComponent(App, { ...props, signal })),
  string: props => renderToString(() => createComponent(App, props)),
}

export default defineRenderer({
  render: ({ route, props }, tools) => routes[route](props, tools),
})
