import type { Cluster, Redis } from 'ioredis'
import { withDeadline } from './deadline.js'

/** How long the end of a server waits for Redis, in milliseconds. */
export const closeTimeout = 1000

/** Ends a client: with the answers to what was sent, if they come in time. Never rejects. */
export async function closeClient(client: Redis | Cluster, timeoutMs: number = closeTimeout): Promise<void> {
  // ioredis prints errors that nobody listens to.
  client.on('error', () => {})
  const { status } = client
  if (timeoutMs > 0 && (status === 'ready' || status === 'connect' || status === 'connecting'))
    await withDeadline(client.quit(), timeoutMs).catch(() => {})
  if (client.status !== 'end') client.disconnect()
}
