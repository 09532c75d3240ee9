/** A message of `size` bytes, to be stamped before each sending. */
export function blankMessage(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size).fill(0x55)
}

/** Marks a message with its number, in its first and its last byte. */
export function stamp(message: Uint8Array, index: number): void {
  message[0] = index
  message[message.length - 1] = ~index
}

/** More bytes than this would measure how fast memory is read, not the ring. */
const DISTINCT_BYTES = 16_384

/** Message number `i` of a throughput run is `messages[i & (messages.length - 1)]`: to stamp it then would stall its copy. */
export function stampedMessages(size: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: stampMask(size) + 1 }, (_, index) => {
    const message = blankMessage(size)
    stamp(message, index)
    return message
  })
}

/** Those bits of a message's number that its stamp has. */
export function stampMask(size: number): number {
  return Math.min(32, Math.max(2, DISTINCT_BYTES / size)) - 1
}

/** Throws unless `message` has `size` bytes and the stamp of `index`. */
export function check(message: Uint8Array, size: number, index: number): void {
  if (message.length !== size || message[0] !== (index & 0xff) || message[size - 1] !== (~index & 0xff)) {
    throw new Error(
      `message ${index} has ${message.length} bytes, ${message[0]} … ${message[message.length - 1]}:` +
        ` should be ${size}, ${index & 0xff} … ${~index & 0xff}`,
    )
  }
}

/** Throws unless a read gave a whole message. */
export function requireWhole(bytes: number | null, size: number): void {
  if (bytes !== size) throw new Error(`read ${bytes} bytes, not ${size}`)
}
