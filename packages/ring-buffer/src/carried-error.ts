import { RingBufferError } from './error.js'
import { ERROR_BYTES } from './padded-layout.js'

const LENGTH_BYTES = 4
const ROOM = ERROR_BYTES - LENGTH_BYTES

/** Puts an error's name, message and code into a ring's memory. A message that is too long loses its end. */
export function storeError(words: Int32Array<SharedArrayBuffer>, at: number, thrown: unknown): void {
  const bytes = encode(thrown)
  new Uint8Array(words.buffer, at + LENGTH_BYTES, ROOM).set(bytes)
  words[at / Int32Array.BYTES_PER_ELEMENT] = bytes.length // I14: plain, as the state that is stored next publishes it
}

/** The error that {@link storeError} put there: an `Error` with that name, message and code. */
export function loadError(words: Int32Array<SharedArrayBuffer>, at: number): Error {
  const length = words[at / Int32Array.BYTES_PER_ELEMENT] as number
  try {
    if (!(length >= 0 && length <= ROOM)) throw new RangeError(`an error of ${length} bytes`)
    // A copy first: the other side has finished with it, but decoders of some browsers refuse shared memory.
    const bytes = new Uint8Array(words.buffer, at + LENGTH_BYTES, length).slice()
    const carried: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (!Array.isArray(carried)) throw new TypeError('no error')
    const [name, message, code] = carried as unknown[]
    const error = new Error(String(message))
    Object.defineProperty(error, 'name', { value: String(name), configurable: true, writable: true })
    return typeof code === 'string' || typeof code === 'number' ? Object.assign(error, { code }) : error
  } catch (cause) {
    throw new RingBufferError(
      'CORRUPT_HEADER',
      'Cannot tell why the other side stopped: its error is unreadable',
      {
        cause,
      },
    )
  }
}

function encode(thrown: unknown): Uint8Array {
  const { name, message, code } = partsOf(thrown)
  for (let length = Math.min(message.length, ROOM); ; length = Math.floor(length / 2)) {
    const bytes = new TextEncoder().encode(JSON.stringify([name, message.slice(0, length), code]))
    if (bytes.length <= ROOM) return bytes
    if (length === 0) return new TextEncoder().encode(JSON.stringify(['Error', 'too long to be carried']))
  }
}

function partsOf(thrown: unknown): { name: string; message: string; code: string | number | undefined } {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown), code: undefined }
  const { code } = thrown as { code?: unknown }
  const carried = typeof code === 'string' || typeof code === 'number' ? code : undefined
  return { name: String(thrown.name), message: String(thrown.message), code: carried }
}
