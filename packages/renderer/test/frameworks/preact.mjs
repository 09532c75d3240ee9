import { PassThrough } from 'node:stream'
import { defineRenderer } from '@scratchyjs/renderer/worker'
import { renderToString, renderToStringAsync } from 'preact-render-to-string'
import { renderToReadableStream } from 'preact-render-to-string/stream'
import { renderToPipeableStream } from 'preact-render-to-string/stream-node'
import { app } from './preact-app.mjs'

function pipeable(vnode, { signal }) {
  const page = new PassThrough()
  const { pipe, abort } = renderToPipeableStream(vnode, { onError: error => page.destroy(error) })
  signal.addEventListener('abort', () => abort(signal.reason), { once: true })
  pipe(page)
  return page
}

const routes = {
  pipeable: (props, tools) => pipeable(app(props), tools),
  readable: props => renderToReadableStream(app(props)),
  async: (props, { signal }) => renderToStringAsync(app({ ...props, signal })),
  string: props => renderToString(app(props)),
}

export default defineRenderer({
  render: ({ route, props }, tools) => routes[route](props, tools),
})
