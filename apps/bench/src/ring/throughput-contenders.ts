import {
  blockingChannel,
  channel,
  copiesAlone,
  plainRing,
  referenceRing,
  ringbufJs,
  textChannel,
} from './byte-contenders.js'
import type { Contender } from './contender.js'
import { blockingMessages, drainedMessages, messages, slots } from './message-contenders.js'
import { postMessageClone, postMessageTransfer } from './port-contenders.js'

/** All but thread-stream, which brings a worker of its own. */
export const throughputContenders: Record<string, Contender> = {
  messages,
  'messages, drained': drainedMessages,
  'messages, blocking': blockingMessages,
  channel,
  'channel, blocking': blockingChannel,
  'channel, text': textChannel,
  'plain ring': plainRing,
  slots,
  'reference ring': referenceRing,
  'ringbuf.js': ringbufJs,
  'postMessage clone': postMessageClone,
  'postMessage transfer': postMessageTransfer,
  'copies alone': copiesAlone,
}
