import { Readable, Writable } from 'node:stream'
import { describe } from './argument.js'
import { RingBufferError } from './error.js'
import type { RingReader } from './ring-reader.js'
import type { RingWriter } from './ring-writer.js'

/** Bytes that a stream holds beside those in the ring, and the most that it reads at a time. */
const HIGH_WATER_MARK = 65_536

/** How long a stream may keep the event loop for itself while the other thread is fast enough for it. */
const TURN_MS = 5

/** What the streams of this module may be told; each is node:stream's own option of that name. */
export interface RingStreamOptions {
  /** Bytes, an integer from 0 on; default 65536. The ring itself holds its capacity beside them. */
  highWaterMark?: number | undefined
  /** Destroys the stream when it is aborted. */
  signal?: AbortSignal | undefined
}

/**
 * The bytes of a channel as a `Readable`. It reads only when it is read from, so its consumer's pace is the
 * writer's. The writer's end is its 'end', the writer's failure its 'error' (name, message and code). Destroyed
 * before either, it cancels: the writer gets the error, or `ERR_STREAM_PREMATURE_CLOSE` when there is none.
 *
 * A pending read keeps the thread alive, a paused or destroyed stream does not. `RingBufferError` with
 * `PEER_GONE` or `CORRUPT_HEADER` destroys it too. Use the reader through the stream alone. For the thread
 * that reads.
 *
 * @throws `TypeError` for object mode, which bytes don't have, and for what is no `RingReader`
 */
export function toReadable(reader: RingReader, options: RingStreamOptions = {}): Readable {
  requireRole('reader', reader, 'readAsync')
  const { highWaterMark, signal } = streamOptions(options)
  const destroyed = new AbortController()
  const turns = new Turns()
  let finished = false
  return new Readable({
    highWaterMark,
    signal,
    read(size) {
      turns.begin(() => {
        reader.readAsync(size || HIGH_WATER_MARK, { signal: destroyed.signal }).then(
          bytes => {
            finished = !bytes
            // A listener's error must not become the rejection of this promise.
            process.nextTick(() => this.destroyed || this.push(bytes ?? null))
          },
          error => {
            finished = true
            this.destroy(error)
          },
        )
      })
    },
    destroy(error, callback) {
      const reason = error ?? prematureClose()
      destroyed.abort(reason)
      if (!finished) reader.cancel(reason)
      callback(error)
    },
  })
}

/**
 * A `Writable` into a channel, with the reader's pace for its own. Ending it is `end`; destroyed before that, it
 * fails the channel: the reader gets the error, or `ERR_STREAM_PREMATURE_CLOSE` when there is none. A reader
 * that cancels destroys it with `RingBufferError` `CANCELLED` (its reason is the `cause`), also while nothing
 * is written; with `PEER_GONE` or `CORRUPT_HEADER` a write does.
 *
 * Chunks are copied before their callback is called. A write that waits for room keeps the thread alive. Use
 * the writer through the stream alone. For the thread that writes.
 *
 * @throws `TypeError` for object mode, which bytes don't have, and for what is no `RingWriter`
 */
export function toWritable(writer: RingWriter, options: RingStreamOptions = {}): Writable {
  requireRole('writer', writer, 'writeAsync')
  const { highWaterMark, signal } = streamOptions(options)
  const destroyed = new AbortController()
  const turns = new Turns()
  const writeAll = async (chunks: readonly Uint8Array[]): Promise<void> => {
    for (const chunk of chunks) {
      if (!writer.tryWrite(chunk)) await writer.writeAsync(chunk, { signal: destroyed.signal })
    }
  }
  const put = (chunks: readonly Uint8Array[], callback: (error?: Error) => void): void => {
    turns.begin(() => {
      writeAll(chunks).then(
        () => process.nextTick(callback),
        error => process.nextTick(callback, error),
      )
    })
  }
  const stream = new Writable({
    highWaterMark,
    signal,
    write(chunk: Buffer, _encoding, callback) {
      put([chunk], callback)
    },
    writev(entries, callback) {
      put(
        entries.map(entry => entry.chunk),
        callback,
      )
    },
    final(callback) {
      writer.end()
      callback()
    },
    destroy(error, callback) {
      const reason = error ?? prematureClose()
      destroyed.abort(reason)
      writer.fail(reason) // after an end it counts for nothing
      callback(error)
    },
  })
  writer.cancelled.then(
    cause =>
      stream.destroy(
        new RingBufferError('CANCELLED', 'Cannot write on: the reader has cancelled', { cause }),
      ),
    error => stream.destroy(error),
  )
  return stream
}

/**
 * What the ring has at hand comes by promises alone, which all run before the event loop goes on. While the
 * other thread keeps up, a stream would never let timers and sockets have their turn: this does.
 */
class Turns {
  #began = performance.now()

  /** Calls `act` now, or in the next turn of the event loop once this one has lasted long enough. */
  begin(act: () => void): void {
    if (performance.now() - this.#began < TURN_MS) act()
    else
      setImmediate(() => {
        this.#began = performance.now()
        act()
      })
  }
}

function streamOptions(options: RingStreamOptions): { highWaterMark: number; signal?: AbortSignal } {
  for (const mode of ['objectMode', 'readableObjectMode', 'writableObjectMode'] as const) {
    if ((options as Record<string, unknown>)[mode])
      throw new TypeError(`${mode} must not be set: a channel carries bytes`)
  }
  const { highWaterMark = HIGH_WATER_MARK, signal } = options
  return signal === undefined ? { highWaterMark } : { highWaterMark, signal }
}

function requireRole(name: string, role: object, member: string): void {
  if (typeof (role as Record<string, unknown> | undefined)?.[member] === 'function') return
  throw new TypeError(
    `${name} must be a Ring${name === 'reader' ? 'Reader' : 'Writer'}, got ${describe(role)}`,
  )
}

/** What node:stream calls a stream that was destroyed, without an error, before its end. */
function prematureClose(): Error {
  return Object.assign(new Error('The stream was destroyed before its end'), {
    code: 'ERR_STREAM_PREMATURE_CLOSE',
  })
}
