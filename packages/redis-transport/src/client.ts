import { type Command, Redis, type RedisOptions } from 'ioredis'
import { type RedisTransportError, redisFailure } from './error.js'
import { parseRedisUrl } from './redis-url.js'

/** Where a client's errors go. */
export interface CreateRedisClientOptions {
  /**
   * Called with every error of the connection, `code` `REDIS_UNAVAILABLE` or `REDIS_REFUSED`; during
   * an outage once per attempt to connect. Without it these errors are dropped: a command that fails
   * still rejects, and `client.status` tells the state. What it throws becomes a process warning.
   */
  onError?: (error: RedisTransportError) => void
}

const defaults: RedisOptions = {
  maxRetriesPerRequest: 3,
  lazyConnect: true,
  enableReadyCheck: true,
  // A server that accepts and then says nothing would keep a command waiting for ever.
  commandTimeout: 5000,
}

type Check = [isRight: (value: unknown) => boolean, expected: string]
const integer = (from: number, to: number): Check => [
  value => Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
  `an integer from ${from} to ${to}`,
]
const ofType = (type: string): Check => [value => typeof value === type, `a ${type}`]
const functionOrNull: Check = [value => value === null || typeof value === 'function', 'a function or null']
const stringOrNull: Check = [value => value === null || typeof value === 'string', 'a string']

const checks: Record<string, Check> = {
  host: ofType('string'),
  port: integer(1, 65_535),
  path: stringOrNull,
  db: integer(0, 99_999),
  username: stringOrNull,
  password: stringOrNull,
  keyPrefix: ofType('string'),
  family: [value => value === 0 || value === 4 || value === 6, '0, 4 or 6'],
  protocol: [value => value === 2 || value === 3, '2 or 3'],
  // null would let commands wait for ever while Redis is away.
  maxRetriesPerRequest: integer(0, 1000),
  commandTimeout: integer(1, 2 ** 31 - 1),
  connectTimeout: integer(1, 2 ** 31 - 1),
  lazyConnect: ofType('boolean'),
  enableReadyCheck: ofType('boolean'),
  enableOfflineQueue: ofType('boolean'),
  autoResubscribe: ofType('boolean'),
  retryStrategy: functionOrNull,
  reconnectOnError: functionOrNull,
}

function checkOptions(options: RedisOptions): RedisOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new TypeError(`urlOrOptions must be a URL or an object of options, not ${options}`)
  for (const [name, value] of Object.entries(options)) {
    const check = checks[name]
    if (check && value !== undefined && !check[0](value))
      throw new TypeError(
        `urlOrOptions.${name} must be ${check[1]}, not ${name === 'password' ? '***' : value}`,
      )
  }
  return options
}

// ioredis sends these itself when it has reconnected, and looks at no answer: one that fails would
// be an unhandled rejection, which ends the process.
const restoring = new Set(['subscribe', 'psubscribe', 'ssubscribe', 'select'])

class ReportingRedis extends Redis {
  readonly #report: (cause: unknown) => void
  readonly #seen = new WeakSet<Command>()

  constructor(options: RedisOptions, report: (cause: unknown) => void) {
    super(options as object)
    this.#report = report
    this.on('error', report)
    this.duplicate = override => new ReportingRedis({ ...this.options, ...override }, report) as never
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    if (restoring.has(command.name) && !this.#seen.has(command)) {
      this.#seen.add(command)
      command.promise.catch(this.#report)
    }
    return super.sendCommand(command, stream)
  }
}

/**
 * An ioredis client that connects with its first command, gives a command up after 3 attempts to
 * reconnect or 5 s without an answer, and hands every error of its connection to `onError`: none
 * becomes an `uncaughtException` or an unhandled rejection. `duplicate()` makes another such client.
 *
 * @param urlOrOptions `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, the absolute path of
 * a Unix socket, or ioredis options. Options win over the defaults (`maxRetriesPerRequest: 3`,
 * `lazyConnect: true`, `enableReadyCheck: true`, `commandTimeout: 5000`).
 * @throws TypeError at once for a bad URL or option, also for `maxRetriesPerRequest: null`, under
 * which commands would wait without end
 */
export function createRedisClient(
  urlOrOptions: string | RedisOptions,
  { onError }: CreateRedisClientOptions = {},
): Redis {
  if (onError !== undefined && typeof onError !== 'function')
    throw new TypeError(`onError must be a function, not ${onError}`)
  const options = typeof urlOrOptions === 'string' ? parseRedisUrl(urlOrOptions) : checkOptions(urlOrOptions)
  const report = (cause: unknown) => {
    if (!onError) return
    // An exception here would end the process from inside an event: an async callback's, too.
    Promise.resolve(redisFailure('use the connection to Redis', cause))
      .then(onError)
      .catch((error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)))
  }
  try {
    return new ReportingRedis({ ...defaults, ...options }, report)
  } catch (cause) {
    throw new TypeError(`urlOrOptions: ${(cause as Error).message}`, { cause })
  }
}
