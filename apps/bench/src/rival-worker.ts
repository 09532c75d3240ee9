// The rivals: plain Piscina tasks.
import type { MessagePort } from 'node:worker_threads'
import { type PageProps, renderParts, renderWhole } from './bench-page.js'
import { WINDOW } from './port-stream.js'

/** The page as a string, in the task's result. */
export default function render({ props }: { props: PageProps }): string {
  return renderWhole(props)
}

/** The page's parts, a message for each; the main thread answers with how many bytes it has taken. */
export async function stream({ props, port }: { props: PageProps; port: MessagePort }): Promise<void> {
  let room = WINDOW
  let wake = () => {}
  port.on('message', (taken: number) => {
    room += taken
    wake()
  })
  for (const part of renderParts(props)) {
    while (room <= 0) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    port.postMessage(part)
    room -= part.length
  }
  port.postMessage(null)
}
