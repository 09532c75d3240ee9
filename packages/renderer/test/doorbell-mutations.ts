import type { Mutation } from '@scratchyjs/tooling/mutations'

const stream = ['test/stream.test.ts']
const words = ['src/control-words.test.ts']
const explored = ['test/explore-control.test.ts']
const hub = ['src/stream-hub.test.ts']

/** The words that the threads share, and who waits at them. */
export const doorbellMutations: Mutation[] = [
  // I6
  {
    name: 'a word given to two renders',
    file: 'control-words.ts',
    replace: 'this.#free.pop() as number',
    by: '0',
    killedBy: words,
  },
  {
    name: 'cancelled and not told',
    file: 'control-words.ts',
    replace: 'Atomics.notify(this.#words, wordOf(ticket))',
    by: '',
    killedBy: explored,
  },
  {
    name: 'a late look finds nothing',
    file: 'control-words.ts',
    replace: `watching = false // the word holds something else
        callback()`,
    by: 'watching = false',
    killedBy: words,
  },
  {
    name: 'a render that is over goes on listening',
    file: 'control-words.ts',
    replace: `watching = false
      Atomics.notify(this.#words, word)`,
    by: 'Atomics.notify(this.#words, word)',
    killedBy: explored,
  },
  {
    name: 'a wait left behind',
    file: 'control-words.ts',
    replace: 'Atomics.notify(this.#words, word) //',
    by: '//',
    killedBy: explored,
  },
  // I8
  {
    name: 'slept without a last look',
    file: 'stream-hub.ts',
    replace: 'if (!this.#pollAll()) await',
    by: 'await',
    killedBy: explored,
  },
  {
    name: 'looked before it listened',
    file: 'stream-hub.ts',
    replace: `const seen = this.#words.listen()
      if (!this.#pollAll())`,
    by: `const any = this.#pollAll()
      const seen = this.#words.listen()
      if (!any)`,
    killedBy: explored,
  },
  {
    name: 'listening and not said',
    file: 'control-words.ts',
    replace: 'Atomics.store(this.#words, LISTENING, 1) //',
    by: '//',
    killedBy: explored,
  },
  {
    name: 'counted after it listens',
    file: 'control-words.ts',
    replace: `const seen = Atomics.load(this.#words, RINGS) // before the flag: a ring in between changes it
    Atomics.store(this.#words, LISTENING, 1)`,
    by: `Atomics.store(this.#words, LISTENING, 1)
    const seen = Atomics.load(this.#words, RINGS)`,
    killedBy: explored,
  },
  {
    name: 'rung and not counted',
    file: 'control-words.ts',
    replace: 'Atomics.add(this.#words, RINGS, 1)',
    by: '',
    killedBy: explored,
  },
  {
    name: 'rung and not heard',
    file: 'control-words.ts',
    replace: 'Atomics.notify(this.#words, RINGS)',
    by: '',
    killedBy: explored,
  },
  {
    name: 'a wait for each stream',
    file: 'stream-hub.ts',
    replace: 'if (!this.#listening) void',
    by: 'void',
    killedBy: stream,
    named: 'I8:',
  },
  {
    name: 'listens once',
    file: 'stream-hub.ts',
    replace: `this.#listening = false
  }`,
    by: '}',
    killedBy: explored,
  },
  {
    name: 'a removed stream asked',
    file: 'stream-hub.ts',
    replace: 'if (!this.#waiting.delete(listener)) continue',
    by: 'this.#waiting.delete(listener)',
    killedBy: hub,
  },
  // I14
  {
    name: 'every render has one ticket',
    file: 'control-words.ts',
    replace: '(this.#count % MOST_COUNT) + 1',
    by: '1',
    killedBy: words,
  },
  {
    name: 'a ticket beyond its word',
    file: 'control-words.ts',
    replace: '2 ** (31 - WORD_BITS) - 1',
    by: '2 ** (33 - WORD_BITS) - 1',
    killedBy: words,
  },
]
