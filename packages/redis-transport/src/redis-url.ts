import type { RedisOptions } from 'ioredis'

const forms = 'redis://[user:password@]host[:port][/db], rediss://… for TLS, or the absolute path of a socket'

/**
 * The connection that a URL names. Stricter than ioredis, which takes any text for a host name and
 * lets the query set options as strings (`maxRetriesPerRequest=null` would then wait for ever).
 */
export function parseRedisUrl(text: string): RedisOptions {
  if (/^\/[^/]/.test(text)) return { path: text }
  if (!URL.canParse(text)) throw bad(text, 'it is no URL')
  const url = new URL(text)
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') throw bad(text, 'the scheme is another')
  if (!url.hostname) throw bad(text, 'it names no host')
  if (url.search || url.hash) throw bad(text, 'options belong into an object, not into the URL')
  if (!/^(\/\d{0,5})?$/.test(url.pathname))
    throw bad(text, `"${url.pathname.slice(1)}" is no database number`)
  if (url.port === '0') throw bad(text, 'there is no port 0')
  const options: RedisOptions = { host: url.hostname.replace(/^\[|\]$/g, '') }
  if (url.port) options.port = Number(url.port)
  if (url.pathname.length > 1) options.db = Number(url.pathname.slice(1))
  if (url.protocol === 'rediss:') options.tls = {}
  try {
    if (url.username) options.username = decodeURIComponent(url.username)
    if (url.password) options.password = decodeURIComponent(url.password)
  } catch {
    throw bad(text, 'a % in the user or password is not followed by two hex digits')
  }
  return options
}

function bad(text: string, why: string): TypeError {
  // Without the user and the password: errors end up in logs.
  const shown = JSON.stringify(text.replace(/\/\/.*@/s, '//***@'))
  return new TypeError(`urlOrOptions must be ${forms}; ${why}: ${shown}`)
}
