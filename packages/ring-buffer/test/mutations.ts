import type { Mutation } from '@scratchyjs/tooling/mutations'

/** What the tests must notice, by the invariant that each breaks (INVARIANTS.md). */
export const mutations: Mutation[] = [
  {
    name: 'publish-before-copy',
    file: 'message-sender.ts',
    replace: `    this.#copy(this.side.role.position * WORD_BYTES, 0, message)
    this.side.publish(words)`,
    by: `    const { position } = this.side.role
    this.side.publish(words)
    this.#copy(position * WORD_BYTES, 0, message)`,
    killedBy: ['test/message-interleavings.test.ts'],
  },
  {
    name: 'missing >>> 0',
    file: 'cursors.ts',
    replace: 'return Atomics.load(this.#words, this.#writeWord) >>> 0',
    by: 'return Atomics.load(this.#words, this.#writeWord)',
    killedBy: ['src/cursors.test.ts'],
  },
]
