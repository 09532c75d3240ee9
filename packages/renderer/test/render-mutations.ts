import type { Mutation } from '@scratchyjs/tooling/mutations'

const renderer = ['test/renderer.test.ts']
const stream = ['test/stream.test.ts']
const rings = ['test/stream-rings.test.ts']
const recycling = ['test/recycle.test.ts']
const leftovers = ['test/leftovers.test.ts']

/** The way of a render on the main thread, from the request for it to the end of its task. */
export const renderMutations: Mutation[] = [
  // I1
  {
    name: 'slot of a cancelled page kept',
    file: 'render-job.ts',
    replace: "      if ('answer' in outcome) lease?.release()",
    by: '      // kept',
    killedBy: stream,
    named: 'I6: keeps its thread',
  },
  {
    name: "slot of a stream's context kept",
    file: 'render-job.ts',
    replace: `if ('answer' in outcome) lease?.release()
    const told`,
    by: 'const told',
    killedBy: stream,
    named: 'string is the same page',
  },
  // I2
  {
    name: 'slot of a killed thread free at once',
    file: 'render-pool.ts',
    replace: 'lease.quarantine(this.#threads.departures())',
    by: 'lease.quarantine(Promise.resolve())',
    killedBy: renderer,
    named: 'I2:',
  },
  {
    name: 'ring of a killed thread used again',
    file: 'render-job.ts',
    replace: "giveBack(this.#lane, 'answer' in this.#outcome)",
    by: 'giveBack(this.#lane, true)',
    killedBy: rings,
    named: 'I2:',
  },
  // I3
  {
    name: 'ring given back before its thread is done',
    file: 'render-job.ts',
    replace: 'if (!isWhole && !this.#outcome) this.#abandon()',
    by: `if (!isWhole && !this.#outcome) this.#abandon()
        this.#outcome ??= { answer: {} }`,
    killedBy: rings,
    named: 'I3: .* while its thread',
  },
  {
    name: 'ring given back before it is read',
    file: 'render-job.ts',
    replace: ' || !this.#stream?.destroyed) return',
    by: ') return',
    killedBy: rings,
    named: 'I3: .* before its own is read',
  },
  {
    name: 'ring given back twice',
    file: 'render-job.ts',
    replace: `this.#lane = undefined
  }`,
    by: '}',
    killedBy: stream,
    named: 'I9: that fails after its head',
  },
  {
    name: 'ring of a stream never given back',
    file: 'render-job.ts',
    replace: `this.#giveBack()
      },`,
    by: '},',
    killedBy: rings,
    named: 'I3: .* before its own is read',
  },
  // I4
  {
    name: 'more renders than threads',
    file: 'render-pool.ts',
    replace: 'new Admission(maxThreads,',
    by: 'new Admission(2 * maxThreads,',
    killedBy: renderer,
    named: 'I5: more than maxQueue',
  },
  // I5
  {
    name: 'a cancelled render stays in the queue',
    file: 'render-job.ts',
    replace: 'this.pool.admission.withdraw(this, reason)',
    by: '',
    killedBy: stream,
    named: 'I5: leaves the queue',
  },
  // I6
  {
    name: 'the signal hears of nothing',
    file: 'task-run.ts',
    replace: 'this.#words.cancel(this.ticket)',
    by: '',
    killedBy: stream,
    named: 'I6: hears of it.*render$',
  },
  {
    name: 'killed without the grace',
    file: 'task-run.ts',
    replace: 'setTimeout(() => this.#kill.trip(), this.#graceMs)',
    by: '(this.#kill.trip(), undefined)',
    killedBy: stream,
    named: 'I6: keeps its thread',
  },
  {
    name: 'never killed',
    file: 'task-run.ts',
    replace: 'setTimeout(() => this.#kill.trip(), this.#graceMs)',
    by: 'setTimeout(() => {}, this.#graceMs)',
    killedBy: stream,
    named: 'I6: and does not hear',
  },
  // I7
  {
    name: 'the place of a render never free again',
    file: 'task-run.ts',
    replace: 'this.#owner.onFree()',
    by: '',
    killedBy: renderer,
    named: 'I11: .* a page for which',
  },
  {
    name: 'a render whose thread ended waits for ever',
    file: 'task-run.ts',
    replace: 'crash => this.#end({ crash, killed: this.#kill.aborted })',
    by: '() => {}',
    killedBy: renderer,
    named: 'I7: by exit',
  },
  {
    name: 'a render whose turn came too late keeps its place',
    file: 'render-job.ts',
    replace: 'this.pool.admission.leave() // cancelled',
    by: '// cancelled',
    killedBy: ['test/redis-transport.test.ts'],
    named: 'I7: is cancelled while',
  },
  {
    name: 'a render takes as long as it wants',
    file: 'render-job.ts',
    replace: `this.reject(error)
    this.abort()`,
    by: '',
    killedBy: renderer,
    named: 'I7: by never',
  },
  {
    name: 'a stream takes as long as it wants',
    file: 'render-job.ts',
    replace: `this.#expired = error
    this.abort()
    this.#fail(error)`,
    by: '',
    killedBy: stream,
    named: 'I7: that does not end .stuck',
  },
  // I8
  {
    name: 'the end of a streak held back',
    file: 'stream-sink.ts',
    replace: 'process.nextTick(this.#ringNow)',
    by: 'void 0',
    killedBy: ['src/stream-sink.test.ts'],
  },
  {
    name: 'asleep at a full ring',
    file: 'stream-sink.ts',
    replace: '        this.#ring()\n        await',
    by: '        await',
    killedBy: ['src/stream-sink.test.ts'],
  },
  {
    name: 'no ring within a streak',
    file: 'stream-sink.ts',
    replace: 'this.#streak < STREAK_PARTS || this.#silentBytes >= PIECE_BYTES',
    by: 'this.#streak < STREAK_PARTS',
    killedBy: ['src/stream-sink.test.ts'],
  },
  {
    name: 'done without a look for the head',
    file: 'render-job.ts',
    replace: 'if (!told) this.#stream?.takeHead()',
    by: '',
    killedBy: rings,
    named: 'I8:',
  },
  // I9
  {
    name: 'an error after the head ends the page',
    file: 'render-job.ts',
    replace: 'this.#stream?.destroy(this.isSettled ? error : undefined)',
    by: 'this.#stream?.destroy()',
    killedBy: stream,
    named: 'I9: that fails after',
  },
  // I13
  {
    name: 'closed without waiting',
    file: 'render-pool.ts',
    replace: 'await this.admission.close()',
    by: '',
    killedBy: renderer,
    named: 'I13: lets renders',
  },
  {
    name: 'closed without a teardown',
    file: 'render-pool.ts',
    replace: `await this.#tearDown()
`,
    by: `
`,
    killedBy: renderer,
    named: 'I13: lets renders',
  },
  {
    name: 'closed without a deadline',
    file: 'render-pool.ts',
    replace: 'timer = setTimeout(resolve, closeTimeout)',
    by: '',
    killedBy: renderer,
    named: 'I13: ends what',
  },
  {
    name: 'connections of the cache left',
    file: 'renderer.ts',
    replace: 'void pages?.close()',
    by: '',
    killedBy: leftovers,
    named: 'I13:',
  },
  // I14
  {
    name: 'the last page waits for the teardown',
    file: 'task-run.ts',
    replace: 'this.#settle({ answer })',
    by: '',
    killedBy: recycling,
    named: 'I14: its last page',
  },
  {
    name: 'an answer given and a crash told',
    file: 'task-run.ts',
    replace: 'if (this.#hasOutcome) return',
    by: '',
    killedBy: recycling,
    named: 'I14: a thread that',
  },
  {
    name: 'a message about another render believed',
    file: 'render-pool.ts',
    replace: 'if (run?.ticket !== ticket) return',
    by: 'if (!run) return',
    killedBy: recycling,
    named: 'I14: messages',
  },
]
