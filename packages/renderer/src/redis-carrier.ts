import { createRedisClient, createRedisTransport, type RedisTransport } from '@scratchyjs/redis-transport'
import type { Cluster, Redis, RedisOptions } from 'ioredis'

/** A client, or what one is made from. */
export type CarrierSource = Redis | RedisOptions | string

/** Takes contexts to the workers through Redis. */
export class RedisCarrier {
  /** What each worker makes a connection of its own from: it can be cloned. */
  readonly connection: RedisOptions | string
  readonly #client: Redis
  readonly #isOwn: boolean
  readonly #transport: RedisTransport
  readonly #minBytes: number

  /**
   * @param minBytes contexts with more bytes go this way
   * @throws TypeError for a client whose options no other thread can be given
   */
  constructor(source: CarrierSource, minBytes: number) {
    this.#minBytes = minBytes
    this.#isOwn = !isClient(source)
    this.connection = isClient(source) ? optionsOf(source) : source
    this.#client = isClient(source) ? source : createRedisClient(source)
    this.#transport = createRedisTransport({ redis: this.#client })
    if (this.#client.status === 'wait') this.#client.connect().catch(() => {})
  }

  /** Whether the context goes this way. */
  takes(json: string): boolean {
    return json.length > this.#minBytes || Buffer.byteLength(json) > this.#minBytes
  }

  /** Under which id the worker finds the context; `undefined` when Redis doesn't take it. Never rejects. */
  async send(json: string): Promise<string | undefined> {
    try {
      // As text: the transport would refuse what JSON drops, and the renderer doesn't.
      return (await this.#transport.send({ json })).requestId
    } catch {
      return undefined // larger than the transport carries at all
    }
  }

  /** Nobody will take it. */
  discard(requestId: string): void {
    void this.#transport.discard({ requestId })
  }

  close(): void {
    if (this.#isOwn) this.#client.disconnect()
  }
}

function isClient(source: CarrierSource | Cluster): source is Redis {
  if (typeof source !== 'object' || source === null || !('set' in source)) return false
  if ('nodes' in source) throw new TypeError('redis must be no Cluster: workers connect to one server')
  return true
}

const connecting = [
  'host',
  'port',
  'path',
  'db',
  'username',
  'password',
  'keyPrefix',
  'family',
  'protocol',
  'tls',
  'sentinels',
  'name',
  'sentinelUsername',
  'sentinelPassword',
] as const satisfies readonly (keyof RedisOptions)[]

function optionsOf({ options }: Redis): RedisOptions {
  const picked = Object.fromEntries(
    connecting.flatMap(name =>
      options[name] === undefined || options[name] === null ? [] : [[name, options[name]]],
    ),
  )
  try {
    return structuredClone(picked)
  } catch (cause) {
    throw new TypeError('redis: its options can not be given to a worker. Give a URL or plain options', {
      cause,
    })
  }
}
