import type { Mutation } from '@scratchyjs/tooling/mutations'

/** What the tests must notice, by the invariant that each breaks (INVARIANTS.md). */
export const mutations: Mutation[] = [
  // I1
  {
    name: 'missing >>> 0',
    file: 'cursors.ts',
    replace: 'const sum = (from >>> 0) + bytes',
    by: 'const sum = from + bytes',
    killedBy: ['src/cursors.test.ts'],
  },
  {
    name: 'plain % of a negative pointer',
    file: 'cursors.ts',
    replace: 'return (cursor >>> 0) % this.capacity',
    by: 'return cursor % this.capacity',
    killedBy: ['src/cursors.test.ts'],
  },
  {
    name: 'wrap at 2^32',
    file: 'cursors.ts',
    replace: 'sum < WORD_VALUES ? sum : sum - this.#lap',
    by: 'sum',
    killedBy: ['src/cursors.test.ts'],
  },
  {
    name: 'position not wrapped',
    file: 'role.ts',
    replace:
      'this.#position = position < this.#cursors.capacity ? position : position - this.#cursors.capacity',
    by: 'this.#position = position',
    killedBy: ['src/ring-channel.test.ts'],
  },
  // I2
  {
    name: 'cursor of the other side stored',
    file: 'role.ts',
    replace: '? this.#cursors.publishWrite(this.#own, units)',
    by: '? this.#cursors.publishRead(this.#own, units)',
    killedBy: ['src/role.test.ts'],
  },
  // I3
  {
    name: 'publish before copy',
    file: 'shared-ring-buffer.ts',
    replace: `this.#data.copyIn(this.#producer.position, chunk)
    this.#producer.publish(chunk.length)`,
    by: `const { position } = this.#producer
    this.#producer.publish(chunk.length)
    this.#data.copyIn(position, chunk)`,
    killedBy: ['test/interleavings.test.ts'],
  },
  {
    name: 'plain read of a cursor',
    file: 'cursors.ts',
    replace: 'return Atomics.load(this.#words, this.#writeWord)',
    by: 'return this.#words[this.#writeWord] as number',
    killedBy: ['test/explore-bytes.test.ts'],
    named: 'two at once',
  },
  {
    name: 'plain store of a cursor',
    file: 'cursors.ts',
    replace: 'Atomics.store(this.#words, word, next)',
    by: 'this.#words[word] = next',
    killedBy: ['test/explore-bytes.test.ts'],
    named: 'two at once',
  },
  // I4
  {
    name: 'freed before copy',
    file: 'shared-ring-buffer.ts',
    replace: `this.#data.copyOut(this.#consumer.position, target, bytes)
    this.#consumer.publish(bytes)
    return target`,
    by: `const { position } = this.#consumer
    this.#consumer.publish(bytes)
    this.#data.copyOut(position, target, bytes)
    return target`,
    killedBy: ['test/interleavings.test.ts'],
  },
  // I5
  {
    name: 'cache never reloaded',
    file: 'role.ts',
    replace: 'if (own === this.#own && this.#room >= wanted) return this.#room',
    by: 'if (own === this.#own && this.#room >= 0) return this.#room',
    killedBy: ['src/role.test.ts'],
  },
  {
    name: 'cache trusted though own cursor moved',
    file: 'role.ts',
    replace: 'if (own === this.#own && this.#room >= wanted)',
    by: 'if (this.#room >= wanted)',
    killedBy: ['src/role.test.ts'],
  },
  // I6
  {
    name: 'notify before store',
    file: 'role.ts',
    replace: `    this.#own = this.#producing
      ? this.#cursors.publishWrite(this.#own, units)
      : this.#cursors.publishRead(this.#own, units)
`,
    by: `    const rang = this.#doorbell.ring()
    this.#own = this.#producing
      ? this.#cursors.publishWrite(this.#own, units)
      : this.#cursors.publishRead(this.#own, units)
    if (units > 0) return rang
`,
    killedBy: ['test/interleavings.test.ts'],
  },
  {
    name: 'no notify',
    file: 'doorbell.ts',
    replace: `ring(): boolean {
    Atomics.notify(this.words, this.word)`,
    by: 'ring(): boolean {',
    killedBy: ['test/interleavings.test.ts'],
    named: 'waitReadableAsync',
  },
  {
    name: 'notify for nothing',
    file: 'role.ts',
    replace: 'if (units === 0) return true',
    by: 'if (units === 0) return this.#doorbell.ring()',
    killedBy: ['src/wait.test.ts'],
  },
  // I7
  {
    name: 're-check dropped before wait',
    file: 'wait.ts',
    replace: `const seen = doorbell.arm()
      if (condition.holds()) return true`,
    by: 'const seen = doorbell.arm()',
    killedBy: ['test/interleavings.test.ts'],
  },
  {
    name: 'sleep on a newer value',
    file: 'wait.ts',
    replace: 'sleep(doorbell, seen, left)',
    by: 'sleep(doorbell, Atomics.load(doorbell.words, doorbell.word), left)',
    killedBy: ['test/interleavings.test.ts'],
  },
  {
    name: 're-check dropped before waitAsync',
    file: 'word-watch.ts',
    replace: `const seen = this.#doorbell.arm()
      for (const check of this.#checks) check()`,
    by: 'const seen = this.#doorbell.arm()',
    killedBy: ['test/interleavings.test.ts'],
  },
  // I8
  {
    name: 'no header check',
    file: 'cursors.ts',
    replace: 'if (bytes >= 0 && bytes <= this.capacity) return bytes',
    by: 'return bytes',
    killedBy: ['src/cursors.test.ts'],
  },
  {
    name: 'wrapped cursor accepted anywhere',
    file: 'cursors.ts',
    replace: 'write < read && write >= WORD_VALUES - this.#lap',
    by: 'write < read',
    killedBy: ['src/cursors.test.ts'],
  },
  // I9
  {
    name: 'snapshot reads each cursor once',
    file: 'cursors.ts',
    replace: 'if (this.loadRead() === read) return',
    by: 'return',
    killedBy: ['test/interleavings.test.ts'],
  },
  // I10
  {
    name: 'one waitAsync for each wait',
    file: 'word-watch.ts',
    replace: 'if (!this.#pending) this.#listen()',
    by: 'this.#listen()',
    killedBy: ['src/wait.test.ts'],
  },
  // I11
  {
    name: 'loop not held open',
    file: 'wait.ts',
    replace: 'timer = setTimeout(onTimer, Math.min(left, LONGEST_TIMER))',
    by: `timer = setTimeout(onTimer, Math.min(left, LONGEST_TIMER))
      timer.unref()`,
    killedBy: ['src/wait-liveness.test.ts'],
  },
  {
    name: 'timer left behind',
    file: 'wait.ts',
    replace: 'clearTimeout(timer)',
    by: '',
    killedBy: ['src/wait.test.ts'],
  },
  {
    name: 'abort listener left behind',
    file: 'wait.ts',
    replace: `signal?.removeEventListener('abort', onAbort)`,
    by: '',
    killedBy: ['src/wait-liveness.test.ts'],
  },
  {
    name: 'abandoned registration left',
    file: 'word-watch.ts',
    replace: 'if (this.#checks.size === 0 && this.#pending) this.#doorbell.wake()',
    by: '',
    killedBy: ['src/wait.test.ts'],
  },
  // I12
  {
    name: 'commit more than reserved',
    file: 'role.ts',
    replace: 'bytes >= 0 && bytes <= this.#claimed',
    by: 'bytes >= 0 && bytes <= this.#cursors.capacity',
    killedBy: ['src/shared-ring-buffer.test.ts'],
  },
  {
    name: 'claim outlives a publication',
    file: 'role.ts',
    replace: `this.#claimed = NONE
    this.#own`,
    by: 'this.#own',
    killedBy: ['src/shared-ring-buffer.test.ts'],
  },
  {
    name: 'writev without room check',
    file: 'shared-ring-buffer.ts',
    replace: 'if (!this.#hasRoomFor(bytes)) return false',
    by: 'this.#hasRoomFor(bytes)',
    killedBy: ['src/shared-ring-buffer.test.ts'],
  },
  {
    name: 'write into a reservation',
    file: 'shared-ring-buffer.ts',
    replace: 'if (claimed > 0)',
    by: 'if (claimed > this.capacity)',
    killedBy: ['src/shared-ring-buffer.test.ts'],
  },
  // I13
  {
    name: 'always notify',
    file: 'doorbell.ts',
    replace: 'if (state !== AWAKE && state !== DEAF) this.wake()',
    by: 'this.wake()',
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'notify for a sleeper left out',
    file: 'doorbell.ts',
    replace: 'if (state !== AWAKE && state !== DEAF) this.wake()',
    by: '',
    killedBy: ['test/message-interleavings.test.ts'],
  },
  {
    name: 'flag not set',
    file: 'doorbell.ts',
    replace: 'Atomics.store(this.words, this.word, ASLEEP)',
    by: '',
    killedBy: ['test/message-interleavings.test.ts'],
  },
  {
    name: 'flag left',
    file: 'doorbell.ts',
    replace: `disarm(): void {
    this.ring()`,
    by: 'disarm(): void {',
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'notify before the flag is cleared',
    file: 'doorbell.ts',
    replace: `wake(): void {
    Atomics.compareExchange(this.words, this.word, ASLEEP, AWAKE)`,
    by: `wake(): void {
    Atomics.notify(this.words, this.word)
    Atomics.compareExchange(this.words, this.word, ASLEEP, AWAKE)
    if (this.word >= 0) return`,
    killedBy: ['test/explore-messages.test.ts'],
    named: 'a cancellation ends both',
  },
  {
    name: 'flag of another value ignored',
    file: 'doorbell.ts',
    replace: 'state !== AWAKE && state !== DEAF',
    by: 'state === ASLEEP',
    killedBy: ['src/doorbell.test.ts'],
  },
  {
    name: 'plain read of a flag',
    file: 'doorbell.ts',
    replace: 'const state = Atomics.load(this.words, this.word)',
    by: 'const state = this.words[this.word]',
    killedBy: ['test/explore-messages.test.ts'],
    named: 'a cancellation ends both',
  },
  {
    name: 'plain store of a flag',
    file: 'doorbell.ts',
    replace: 'Atomics.store(this.words, this.word, ASLEEP)',
    by: 'this.words[this.word] = ASLEEP',
    killedBy: ['test/explore-messages.test.ts'],
    named: 'a cancellation ends both',
  },
  // I14
  {
    name: 'state looked at last',
    file: 'reader-side.ts',
    replace: 'const last = this.role.room(wanted)',
    by: 'const last = 0',
    killedBy: ['test/message-interleavings.test.ts'],
  },
  {
    name: 'state before error',
    file: 'writer-side.ts',
    replace: `if (state === WRITER.FAILED) storeError(this.#words, WRITER_ERROR_BYTE, error)
    Atomics.store(this.#words, WRITER_STATE, state)`,
    by: `Atomics.store(this.#words, WRITER_STATE, state)
    if (state === WRITER.FAILED) storeError(this.#words, WRITER_ERROR_BYTE, error)`,
    killedBy: ['test/message-interleavings.test.ts'],
  },
  {
    name: 'state before reason',
    file: 'reader-side.ts',
    replace: `storeError(this.#words, READER_REASON_BYTE, reason)
    Atomics.store(this.#words, READER_STATE, READER.CANCELLED)`,
    by: `Atomics.store(this.#words, READER_STATE, READER.CANCELLED)
    storeError(this.#words, READER_REASON_BYTE, reason)`,
    killedBy: ['test/explore-messages.test.ts'],
    named: 'a cancellation ends both',
  },
  {
    name: 'first close loses',
    file: 'writer-side.ts',
    replace: 'if (this.#words[WRITER_STATE] !== WRITER.OPEN) return',
    by: '',
    killedBy: ['src/message-end.test.ts'],
  },
  {
    name: 'end not heard',
    file: 'writer-side.ts',
    replace: 'this.#readable.ring()',
    by: '',
    killedBy: ['test/message-interleavings.test.ts'],
  },
  {
    name: 'cancellation not heard',
    file: 'reader-side.ts',
    replace: 'for (const doorbell of this.#doorbells) doorbell.ring()',
    by: '',
    killedBy: ['test/message-interleavings.test.ts'],
  },
  {
    name: 'reader leaves unnoticed',
    file: 'doorbell.ts',
    replace: 'Atomics.store(this.words, this.word, DEAF)',
    by: '',
    killedBy: ['src/ring-channel.test.ts'],
  },
  {
    name: 'deaf doorbell ignored',
    file: 'writer-side.ts',
    replace: 'else if (!this.role.publish(units)) {',
    by: 'else if (!this.role.publish(units) && units < 0) {',
    killedBy: ['src/ring-channel.test.ts'],
  },
  {
    name: 'deaf doorbell overwritten',
    file: 'doorbell.ts',
    replace: 'Atomics.compareExchange(this.words, this.word, ASLEEP, AWAKE)',
    by: 'Atomics.store(this.words, this.word, AWAKE)',
    killedBy: ['src/doorbell.test.ts'],
  },
  {
    name: 'deaf doorbell believed alone',
    file: 'writer-side.ts',
    replace: 'this.#readable.wake()',
    by: '',
    killedBy: ['src/doorbell.test.ts'],
  },
  {
    name: 'deaf producer believed',
    file: 'role.ts',
    replace: 'if (!heard && !this.#producing)',
    by: 'if (!heard && units < 0)',
    killedBy: ['src/bad-input.test.ts'],
    named: "a sleeper's flag of any value",
  },
  // I15
  {
    name: 'message published before its copy',
    file: 'message-sender.ts',
    replace: `this.#copy(this.side.role.position * WORD_BYTES, 0, message)
    this.side.publish(words)`,
    by: `const { position } = this.side.role
    this.side.publish(words)
    this.#copy(position * WORD_BYTES, 0, message)`,
    killedBy: ['test/message-interleavings.test.ts'],
  },
  {
    name: 'message freed before its copy',
    file: 'message-receiver.ts',
    replace: `this.data.copyOut(this.data.after(role.position * WORD_BYTES, WORD_BYTES), target, length)
    role.publish(wordsOf(length))`,
    by: `const { position } = role
    role.publish(wordsOf(length))
    this.data.copyOut(this.data.after(position * WORD_BYTES, WORD_BYTES), target, length)`,
    killedBy: ['test/unit-interleavings.test.ts'],
  },
  {
    name: 'record published before its copy',
    file: 'unit-producer.ts',
    replace: `this.put(this.side.role.position, value)
    this.side.publish(1)`,
    by: `const { position } = this.side.role
    this.side.publish(1)
    this.put(position, value)`,
    killedBy: ['test/unit-interleavings.test.ts'],
  },
  {
    name: 'record freed before its copy',
    file: 'slot-consumer.ts',
    replace: `this.data.copyOut(slot * this.slotSize, target, this.slotSize)
    this.side.role.publish(1)`,
    by: `this.side.role.publish(1)
    this.data.copyOut(slot * this.slotSize, target, this.slotSize)`,
    killedBy: ['test/unit-interleavings.test.ts'],
  },
  {
    name: 'number freed before it is read',
    file: 'float64-consumer.ts',
    replace: `const value = this.at(slot)
    this.side.role.publish(1)`,
    by: `this.side.role.publish(1)
    const value = this.at(slot)`,
    killedBy: ['test/unit-interleavings.test.ts'],
  },
  {
    name: 'drained slots freed one by one',
    file: 'unit-consumer.ts',
    replace: `count++
        fn(this.at(slot))
        if (++slot === this.slots) slot = 0
      }
    } finally {
      this.#draining = false
      role.publish(count)`,
    by: `count++
        role.publish(1)
        fn(this.at(slot))
        if (++slot === this.slots) slot = 0
      }
    } finally {
      this.#draining = false`,
    killedBy: ['src/slot-ring.test.ts'],
  },
  {
    name: 'drain drops what is behind an error',
    file: 'unit-consumer.ts',
    replace: 'role.publish(count)',
    by: 'role.publish(available)',
    killedBy: ['src/slot-ring.test.ts'],
  },
  {
    name: 'length unchecked',
    file: 'frame.ts',
    replace: 'if (length <= (words - 1) * WORD_BYTES) return length',
    by: 'return length',
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'last word of a message left out',
    file: 'frame.ts',
    replace: '(length + WORD_BYTES - 1) >>> 3',
    by: 'length >>> 3',
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'message behind its length not wrapped',
    file: 'ring-data.ts',
    replace: 'return next < this.length ? next : next - this.length',
    by: 'return next <= this.length ? next : next - this.length',
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'batch unchecked',
    file: 'message-sender.ts',
    replace: 'if (next > room) break',
    by: '',
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'receiveInto takes what is too long',
    file: 'message-receiver.ts',
    replace: 'if (length > target.length) throw tooLong(length, target)',
    by: `if (length > target.length) {
      this.side.role.publish(wordsOf(length))
      throw tooLong(length, target)
    }`,
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'realigned pieces in one place',
    file: 'ring-data.ts',
    replace: 'realigned, position + from)',
    by: 'realigned, position)',
    killedBy: ['src/ring-data.test.ts'],
  },
  {
    name: 'words copied from an unaligned position',
    file: 'ring-data.ts',
    replace: '(position & 3) === 0 && ',
    by: '',
    killedBy: ['src/ring-data-reuse.test.ts'],
  },
  {
    name: 'view kept of memory that is resized',
    file: 'ring-data.ts',
    replace: 'buffer.resizable || buffer.growable || ',
    by: '',
    killedBy: ['src/slot-ring.test.ts'],
  },
  // I16
  {
    name: 'no turns',
    file: 'waiting-line.ts',
    replace: 'if (this.#line[0] !== ticket) return false',
    by: '',
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'tryReceive overtakes',
    file: 'message-receiver.ts',
    replace: 'return this.side.line.length > 0 ? undefined : this.#take()',
    by: 'return this.#take()',
    killedBy: ['src/message-ring.test.ts'],
  },
  {
    name: 'no wake behind',
    file: 'waiting-line.ts',
    replace: `this.#line.splice(place, 1)
        this.wake()`,
    by: 'this.#line.splice(place, 1)',
    killedBy: ['src/message-ring.test.ts'],
    named: 'given up',
  },
  // I17
  {
    name: 'peer not heard',
    file: 'waiting-line.ts',
    replace: 'this.#peer?.add(wake)',
    by: '',
    killedBy: ['src/message-end.test.ts'],
  },
  {
    name: 'peer unlooked',
    file: 'reader-side.ts',
    replace: 'if (this.#peer?.gone) {',
    by: 'if (this.#peer === null) {',
    killedBy: ['src/ring-channel.test.ts'],
    named: 'I17',
  },
  {
    name: 'peer listener kept',
    file: 'waiting-line.ts',
    replace: 'this.#peer?.delete(wake)',
    by: '',
    killedBy: ['src/peer.test.ts'],
  },
  {
    name: 'a sleeper with a cleared flag left asleep',
    file: 'waiting-line.ts',
    replace: 'this.#doorbell.wake()',
    by: 'this.#doorbell.ring()',
    killedBy: ['src/message-end.test.ts'],
  },
  // I18
  {
    name: 'pieces from the start',
    file: 'ring-writer.ts',
    replace: 'chunk.subarray(progress.written, progress.written + bytes)',
    by: 'chunk.subarray(0, bytes)',
    killedBy: ['src/ring-channel.test.ts'],
  },
  {
    name: 'piece published before its copy',
    file: 'ring-writer.ts',
    replace: `this.data.copyIn(this.side.role.position, bytes)
    this.side.publish(bytes.length)`,
    by: `const { position } = this.side.role
    this.side.publish(bytes.length)
    this.data.copyIn(position, bytes)`,
    killedBy: ['src/ring-channel.test.ts'],
  },
  {
    name: 'freed before read',
    file: 'ring-reader.ts',
    replace: `this.data.copyOut(this.side.role.position, target, bytes)
    this.side.role.publish(bytes)`,
    by: `const { position } = this.side.role
    this.side.role.publish(bytes)
    this.data.copyOut(position, target, bytes)`,
    killedBy: ['src/ring-channel.test.ts'],
  },
]
