export { type AttachedPool, attachSharedBufferPool, type SlotClaim } from './attached-pool.js'
export { bytesCodec, type Codec, type CodecOptions, jsonCodec } from './codec.js'
export { SharedBufferError, type SharedBufferErrorCode } from './errors.js'
export { failBuffer, resetBuffer } from './failure.js'
export { BufferStatus, createSharedBuffer, fromSharedBuffer, type SharedBuffer } from './mailbox.js'
export {
  type MessageOptions,
  type ReadOptions,
  readFromBuffer,
  readFromBufferAsync,
  writeToBuffer,
  writeToBufferAsync,
} from './message.js'
export { SharedMutex } from './mutex.js'
export type { WaitOptions } from './pending.js'
export {
  createSharedBufferPool,
  type SharedBufferPool,
  type SharedBufferPoolStats,
  type SlotLease,
} from './pool.js'
