import { PassThrough } from 'node:stream'
import { defineRenderer } from '@scratchyjs/renderer/worker'
import {
  pipeToNodeWritable,
  renderToNodeStream,
  renderToString,
  renderToWebStream,
} from 'vue/server-renderer'
import { app } from './vue-app.mjs'

function piped(vue) {
  const page = new PassThrough()
  pipeToNodeWritable(vue, {}, page)
  return page
}

const routes = {
  string: (props, { signal }) => renderToString(app({ ...props, signal })),
  node: props => renderToNodeStream(app(props)),
  web: props => renderToWebStream(app(props)),
  piped: props => piped(app(props)),
}

export default defineRenderer({
  render: ({ route, props }, tools) => routes[route](props, tools),
})
