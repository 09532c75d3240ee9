import { parentPort } from 'node:worker_threads'
import { defineRenderer, type Renderable } from '@scratchyjs/renderer/worker'
import { type PageProps, renderParts, renderWhole } from './bench-page.js'

const renderer: Renderable = defineRenderer({
  render({ props }) {
    const { made } = props as PageProps
    if (made === 'ready' || made === 'whole') return renderWhole(props)
    return made === 'counted' ? counted(renderParts(props)) : renderParts(props)
  },
})

/** Tells the main thread how many bytes it has made. */
function* counted(parts: Iterable<string | Uint8Array>) {
  let made = 0
  for (const part of parts) {
    made += part.length
    parentPort?.postMessage({ made })
    yield part
  }
}

export default renderer
