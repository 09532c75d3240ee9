/** Where the server listens, and which Redis it shares with others. */
export interface Settings {
  port: number
  host: string
  redisUrl?: string
}

/** What an environment variable says can't be; its message is one line for the person who started the server. */
export class SettingError extends Error {
  override name = 'SettingError'
}

/**
 * Reads PORT (3000), HOST (127.0.0.1) and REDIS_URL (none).
 *
 * @throws SettingError that names the variable and its value
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const { PORT: port = '', HOST: host = '', REDIS_URL: redisUrl = '' } = env
  if (port !== '' && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    throw new SettingError(`PORT is "${port}": it must be a number from 0 (any free port) to 65535.`)
  }
  return {
    port: port === '' ? 3000 : Number(port),
    host: host || '127.0.0.1',
    ...(redisUrl && { redisUrl }),
  }
}
