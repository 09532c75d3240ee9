import { defineRenderer } from '@scratchyjs/renderer/worker'
import { createElement } from 'react'
import { renderToPipeableStream, renderToReadableStream, renderToString } from 'react-dom/server'
import { prerender } from 'react-dom/static'
import { App } from './react-app.mjs'

const heard = []
const onError = error => {
  heard.push(error.message)
}

function pipeable(element, { signal }) {
  return new Promise((resolve, reject) => {
    const page = renderToPipeableStream(element, {
      onShellReady: () => resolve(page),
      onShellError: reject,
      onError,
    })
    signal.addEventListener('abort', () => page.abort(signal.reason), { once: true })
  })
}

const routes = {
  pipeable,
  readable: (element, { signal }) => renderToReadableStream(element, { signal, onError }),
  prerender: (element, { signal }) => prerender(element, { signal, onError }),
  string: element => renderToString(element),
  heard: () => JSON.stringify(heard),
}

export default defineRenderer({
  render: ({ route, props }, tools) => routes[route](createElement(App, props), tools),
})
