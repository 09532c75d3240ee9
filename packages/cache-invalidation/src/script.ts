import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'

/** A Lua script over one key. Redis is sent its hash, and the text only where it doesn't know it. */
export class Script {
  readonly #text: string
  readonly #hash: string

  constructor(text: string) {
    this.#text = text
    this.#hash = createHash('sha1').update(text).digest('hex')
  }

  async run(client: Redis | Cluster, key: string, values: (string | number)[]): Promise<unknown> {
    try {
      return await client.evalsha(this.#hash, 1, key, ...values)
    } catch (error) {
      // A server that was restarted, or another node, has not seen it yet: nothing was done.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return client.eval(this.#text, 1, key, ...values)
    }
  }
}
