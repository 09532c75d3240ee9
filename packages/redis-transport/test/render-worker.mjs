// What a user's worker does: one connection for each thread, made when it starts.

import { threadId } from 'node:worker_threads'
import { createRedisClient, createRedisTransport, RedisTransportError } from '@scratchyjs/redis-transport'
import { workerData } from 'piscina'

const redis = createRedisClient(workerData.redis, { onError() {} })
const transport = createRedisTransport({ redis, breaker: workerData.breaker })
// Not awaited: if Redis is out now, contexts come another way, and the client goes on trying.
redis.connect().catch(() => {})

export default async function render(envelope) {
  let context
  try {
    context = await transport.receive(envelope)
  } catch (error) {
    if (!(error instanceof RedisTransportError)) throw error
    // As a value: an error would lose its code on the way.
    return { lost: error.code, threadId }
  }
  if (context.props.dies) process.exit(1)
  return { html: `<h1>${context.props.name}</h1>`, threadId }
}
