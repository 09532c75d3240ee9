/** What passes: a failover, a start, a full memory or disk, a long script. Scripts of Redis 6 have it inside another error. */
const temporary =
  /(?:^|: -)(?:READONLY|OOM|LOADING|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|NOREPLICAS|MISCONF|BUSY)\b/

/**
 * Whether trying again is of no use: Redis refuses for good (NOPERM, WRONGTYPE), or the client is one that may not
 * publish. A broken connection, a timeout, and what passes by itself are no refusals.
 */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return true
  if (error.name === 'ReplyError') return !temporary.test(error.message)
  return error.message.startsWith('Connection in subscriber mode')
}
