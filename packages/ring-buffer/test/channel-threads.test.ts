import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, inject, test } from 'vitest'
import { channel, message } from './padded.js'

const script = join(inject('folder'), 'node_modules/@scratchyjs/ring-buffer/test/threads/channel.js')

test.each([
  [1, 2_000],
  [7, 20_000],
  [1000, 500_000],
])(
  'I13, I18: over %i bytes a thread that blocks passes every byte on, across 2^32',
  async (capacity, length) => {
    const down = channel(capacity, { from: 2 ** 32 - capacity })
    const up = channel(capacity, { from: 2 ** 31 - capacity })
    const peer = new Worker(script, { workerData: { from: down.buffer, to: up.buffer } })
    try {
      const sent = message(length)
      const writing = down.writer.writeAsync(sent).then(() => down.writer.end())
      const got = new Uint8Array(length)
      let at = 0
      for await (const bytes of up.reader) {
        got.set(bytes, at)
        at += bytes.length
      }
      await writing
      expect(at).toBe(length)
      expect(Buffer.compare(got, sent)).toBe(0)
    } finally {
      await peer.terminate()
    }
  },
)
