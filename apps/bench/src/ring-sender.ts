// The sending thread of a throughput measurement, which starts the receiving one.
import { parentPort, workerData } from 'node:worker_threads'
import type { Contender } from './ring/contender.js'
import { Lane } from './ring/lane.js'
import type { Answer, Call } from './ring/sender-thread.js'
import { ThreadStreamLane } from './ring/thread-stream-lane.js'
import { throughputContenders } from './ring/throughput-contenders.js'

const name = workerData as string
const lane =
  name === 'thread-stream'
    ? new ThreadStreamLane(new URL('./ring-text-sink.js', import.meta.url))
    : new Lane(new URL('./ring-receiver.js', import.meta.url), name, throughputContenders[name] as Contender)

parentPort?.on('message', async (call: Call) => {
  let answer: Answer
  try {
    if ('count' in call) answer = await lane.run(call.count)
    else await lane.open(call.size, call.capacity)
  } catch (error) {
    answer = error as Error
  }
  parentPort?.postMessage(answer)
})
