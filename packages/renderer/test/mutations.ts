import type { Mutation } from '@scratchyjs/tooling/mutations'
import { cacheMutations } from './cache-mutations.js'
import { doorbellMutations } from './doorbell-mutations.js'
import { renderMutations } from './render-mutations.js'
import { siteMutations } from './site-mutations.js'
import { workerMutations } from './worker-mutations.js'

const renderer = ['test/renderer.test.ts']
const stream = ['test/stream.test.ts']
const plugin = ['test/plugin.test.ts']
const lanes = ['src/stream-lanes.test.ts']
const pageStream = ['src/page-stream.test.ts']
const admission = ['src/admission.test.ts']

/** What the tests must notice, by the invariant that each breaks (INVARIANTS.md). The lists apart are of one part each. */
export const mutations: Mutation[] = [
  ...renderMutations,
  ...doorbellMutations,
  ...workerMutations,
  ...cacheMutations,
  ...siteMutations,
  // I1
  {
    name: 'pipelined pages of a lost connection kept',
    file: 'when-closed.ts',
    replace: 'for (const closed of waiting) closed()',
    by: '',
    killedBy: plugin,
    named: 'I1: and leaves gives',
  },
  {
    name: 'slot released twice',
    file: 'page-transport.ts',
    replace: 'this.#lease = undefined',
    by: '',
    killedBy: renderer,
    named: 'I1:',
  },
  {
    name: 'slot of a failed page kept',
    file: 'page-transport.ts',
    replace: `lease?.release()
      throw`,
    by: 'throw',
    killedBy: renderer,
    named: 'I12: by way of undefined',
  },
  {
    name: 'slot of a page in a message kept',
    file: 'page-transport.ts',
    replace: `lease?.release()
    const {`,
    by: 'const {',
    killedBy: renderer,
    named: 'I11: .* a page larger than',
  },
  // I2
  {
    name: 'a thread has left as soon as it must',
    file: 'thread-watch.ts',
    replace: 'filter(thread => !kept.has(thread))',
    by: 'filter(() => false)',
    killedBy: renderer,
    named: 'I2:',
  },
  {
    name: 'ring kept while its thread may write',
    file: 'stream-lanes.ts',
    replace: '!reusable || ',
    by: '',
    killedBy: lanes,
  },
  // I3
  {
    name: 'ring given back as it is',
    file: 'stream-lanes.ts',
    replace: 'new Uint8Array(buffer).set(this.#pristine as Uint8Array)',
    by: '',
    killedBy: lanes,
  },
  {
    name: 'a destroyed stream says nothing to its writer',
    file: 'page-stream.ts',
    replace: "this.#lane.reader.cancel(error ?? 'the stream was destroyed')",
    by: '',
    killedBy: pageStream,
  },
  // I4
  {
    name: 'begun and not said',
    file: 'worker-host.ts',
    replace: '  words.began(task.ticket)\n',
    by: '',
    killedBy: renderer,
    named: 'I4: gets it too',
  },
  {
    name: 'late and forgotten',
    file: 'deadlines.ts',
    replace: 'this.#timer = this.#since.size > 0 ? this.#wait(left) : undefined',
    by: '',
    killedBy: ['src/deadlines.test.ts'],
  },
  {
    name: 'more run than may',
    file: 'admission.ts',
    replace: 'return this.#running < this.#limit && !this.#alone',
    by: 'return !this.#alone',
    killedBy: admission,
  },
  {
    name: 'the next waits for ever',
    file: 'admission.ts',
    replace: 'if (!this.#alone) this.#startNext()',
    by: '',
    killedBy: admission,
  },
  // I5
  {
    name: 'a queue without an end',
    file: 'admission.ts',
    replace: 'this.#waiting.size < this.#maxQueue',
    by: 'this.#waiting.size <= this.#maxQueue',
    killedBy: renderer,
    named: 'I5: more than maxQueue',
  },
  {
    name: 'waits for ever',
    file: 'admission.ts',
    replace: 'entrant.onRefusal(lateError(queueTimeout))',
    by: '',
    killedBy: stream,
    named: 'I5: that waits too long',
  },
  {
    name: 'a lost context waits at the end',
    file: 'admission.ts',
    replace: 'this.#waiting.addFirst(entrant)',
    by: 'this.#waiting.add(entrant)',
    killedBy: admission,
  },
  {
    name: 'withdrawn and still waiting',
    file: 'admission.ts',
    replace: 'if (this.#waiting.delete(entrant) !== undefined) entrant.onRefusal(reason)',
    by: 'entrant.onRefusal(reason)',
    killedBy: admission,
  },
  // I10
  {
    name: 'read though nobody asks',
    file: 'page-stream.ts',
    replace: 'this.push(bytes)',
    by: `this.push(bytes)
    if (bytes) this._read()`,
    killedBy: pageStream,
  },
  {
    name: 'all rings kept',
    file: 'stream-lanes.ts',
    replace: ' || this.#free.length >= this.#kept',
    by: '',
    killedBy: lanes,
  },
  // I11
  {
    name: 'half a context',
    file: 'page-transport.ts',
    replace: 'if (read === json.length) return',
    by: 'return',
    killedBy: renderer,
    named: 'I11: .* a context of which',
  },
  // I13
  {
    name: 'closed though some run',
    file: 'admission.ts',
    replace: 'await this.#whenIdle()',
    by: '',
    killedBy: admission,
  },
  {
    name: 'taken after the end',
    file: 'admission.ts',
    replace: 'if (this.#closed) entrant.onRefusal(closedError())\n    else if',
    by: 'if',
    killedBy: admission,
  },
]
