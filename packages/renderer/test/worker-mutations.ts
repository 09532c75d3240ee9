import type { Mutation } from '@scratchyjs/tooling/mutations'

const renderer = ['test/renderer.test.ts']
const stream = ['test/stream.test.ts']
const http = ['test/stream-http.test.ts']
const words = ['src/control-words.test.ts']
const errors = ['src/error-transfer.test.ts']
const head = ['src/response-head.test.ts']
const frame = ['src/stream-frame.test.ts']

/** What a worker makes of a page and of an error. */
export const workerMutations: Mutation[] = [
  // I1
  {
    name: 'claim of a page kept',
    file: 'worker-host.ts',
    replace: `claim?.finish()
  }
}`,
    by: `}
}`,
    killedBy: renderer,
    named: 'I1:',
  },
  // I6
  {
    name: 'the signal outlives its render',
    file: 'render-signal.ts',
    replace: 'this.#stop?.()',
    by: '',
    killedBy: words,
  },
  {
    name: 'a page goes on that is not wanted',
    file: 'page-collector.ts',
    replace: "signal.addEventListener('abort', stop, { once: true })",
    by: '',
    killedBy: stream,
    named: 'I7: that does not end .stuck',
  },
  // I9
  {
    name: 'broken pages end like whole ones',
    file: 'stream-sink.ts',
    replace: 'this.#writer.fail(error)',
    by: 'this.#writer.end()',
    killedBy: http,
    named: 'I9: breaks.*throws',
  },
  {
    name: 'a head before the first part',
    file: 'stream-sink.ts',
    replace: 'if (chunk.length === 0) return',
    by: '',
    killedBy: stream,
    named: 'I9: its head',
  },
  {
    name: 'a head changed after it was sent',
    file: 'response-head.ts',
    replace: 'this.#sent = true',
    by: '',
    killedBy: stream,
    named: 'I9: its head',
  },
  {
    name: 'headers that break the framing',
    file: 'response-head.ts',
    replace: 'if (serverOnly.has(key)) throw',
    by: 'if (Date.now() < 0) throw',
    killedBy: head,
  },
  {
    name: 'a header that ends the head',
    file: 'response-head.ts',
    replace: 'for (const line of lines) validateHeaderValue(name, line)',
    by: '',
    killedBy: head,
  },
  // I10
  {
    name: 'a whole page of any size',
    file: 'page-collector.ts',
    replace: 'requireSize(page.length, maxBytes)',
    by: '',
    killedBy: stream,
    named: 'I10: .*string',
  },
  {
    name: 'parts of any size',
    file: 'page-collector.ts',
    replace: `requireSize(length, maxBytes)
    parts`,
    by: 'parts',
    killedBy: stream,
    named: 'I10: .*generator',
  },
  {
    name: 'a page too large made further',
    file: 'page-collector.ts',
    replace: 'reader.stop(error)',
    by: '',
    killedBy: stream,
    named: 'I10: is made no further',
  },
  // I11
  {
    name: 'half a page',
    file: 'worker-host.ts',
    replace: 'return read === body.length ? written : undefined',
    by: 'return written',
    killedBy: renderer,
    named: 'I11: .* a page of which',
  },
  {
    name: 'a page over its slot',
    file: 'worker-host.ts',
    replace: 'if (body.length > data.length) return undefined',
    by: '',
    killedBy: renderer,
    named: 'I11: .* a page of bytes',
  },
  {
    name: "another render's slot",
    file: 'worker-host.ts',
    replace: 'if (!claim) throw',
    by: 'if (Date.now() < 0) throw',
    killedBy: renderer,
    named: 'I11: .*taken back',
  },
  {
    name: 'a character cut in two',
    file: 'stream-sink.ts',
    replace: 'this.#encoder.encode(chunk)',
    by: 'Buffer.from(chunk)',
    killedBy: stream,
    named: 'array is the same page',
  },
  {
    name: 'a head taken too soon',
    file: 'stream-frame.ts',
    replace: 'this.missing > 0',
    by: 'this.missing > 1',
    killedBy: frame,
  },
  {
    name: 'a head of any length',
    file: 'stream-frame.ts',
    replace: 'if (length <= MAX_HEAD_BYTES) return length',
    by: 'return length',
    killedBy: frame,
  },
  // I12
  {
    name: 'codes dropped',
    file: 'error-transfer.ts',
    replace: "...((typeof code === 'string' || typeof code === 'number') && { code }),",
    by: '',
    killedBy: errors,
  },
  {
    name: 'statuses dropped',
    file: 'error-transfer.ts',
    replace: "...(typeof statusCode === 'number' && { statusCode }),",
    by: '',
    killedBy: errors,
  },
  {
    name: 'causes dropped',
    file: 'error-transfer.ts',
    replace: 'thrown.cause !== undefined && depth',
    by: 'false && depth',
    killedBy: errors,
  },
  {
    name: 'endless causes',
    file: 'error-transfer.ts',
    replace: ' && depth < maxCauses',
    by: '',
    killedBy: errors,
  },
  {
    name: 'codes that can not be cloned',
    file: 'error-transfer.ts',
    replace: "(typeof code === 'string' || typeof code === 'number')",
    by: 'code !== undefined',
    killedBy: errors,
  },
  {
    name: 'an error that can not be read ends the thread',
    file: 'error-transfer.ts',
    replace: `} catch {
    return`,
    by: `} catch (error) {
    throw error
    return`,
    killedBy: errors,
  },
  {
    name: 'own errors are strangers',
    file: 'error-transfer.ts',
    replace: '{ own: true as const }',
    by: '{}',
    killedBy: errors,
  },
]
