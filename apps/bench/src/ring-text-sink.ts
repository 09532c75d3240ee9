// The destination of thread-stream, on its thread: counts characters into a shared word.
import { Writable } from 'node:stream'

export default function textSink({ received }: { received: SharedArrayBuffer }): Writable {
  const words = new Int32Array(received)
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      if (text[0] !== 'a' || text[text.length - 1] !== 'a') {
        done(new Error(`text is ${text[0]} … ${text[text.length - 1]}, not a … a`))
        return
      }
      Atomics.add(words, 0, text.length)
      done()
    },
  })
}
