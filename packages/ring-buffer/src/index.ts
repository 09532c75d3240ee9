export { RingBufferError, type RingBufferErrorCode } from './error.js'
export { SharedRingBuffer } from './shared-ring-buffer.js'
export type { WaitOptions } from './wait.js'
