import { Readable } from 'node:stream'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import type { PageProps } from './bench-page.js'

/** Bytes under way at most: as many as a stream of the renderer holds. */
export const WINDOW: number = 2 ** 18

/** A page whose parts come as messages of a worker, which stops when its window is full. */
class PortStream extends Readable {
  readonly #port: MessagePort
  #taken = 0

  constructor(port: MessagePort) {
    super({ highWaterMark: 65_536 })
    this.#port = port
    port.on('message', (part: string | Uint8Array | null) => {
      if (part === null) port.close()
      else this.#taken += part.length
      if (this.push(part)) this.#giveRoom()
    })
  }

  override _read(): void {
    this.#giveRoom()
  }

  /** Half a window at a time: a message for each part would cost both sides as much again. */
  #giveRoom(): void {
    if (this.#taken < WINDOW / 2) return
    this.#port.postMessage(this.#taken)
    this.#taken = 0
  }
}

/** Streams a page from the rival's worker. */
export function streamByPort(pool: Piscina, props: PageProps): Readable {
  const { port1, port2 } = new MessageChannel()
  const stream = new PortStream(port1)
  pool
    .run({ props, port: port2 }, { name: 'stream', transferList: [port2] })
    .catch(error => stream.destroy(error))
  return stream
}
