import type { Mutation } from '@scratchyjs/tooling/mutations'

/** What the tests must notice, by the invariant that each breaks (INVARIANTS.md). */
export const mutations: Mutation[] = [
  // I1
  {
    name: 'publish before copy',
    file: 'message.ts',
    replace: '  shared.data.set(bytes)',
    by: `  Atomics.store(shared.status, 0, BufferStatus.DATA_READY)
  shared.data.set(bytes)`,
    killedBy: ['src/message.test.ts'],
    named: 'I[1-4]:',
  },
  {
    name: 'failed before its error',
    file: 'failure.ts',
    replace: '  data.set(bytes)',
    by: `  Atomics.store(status, 0, BufferStatus.ERROR)
  data.set(bytes)`,
    killedBy: ['src/message.test.ts'],
    named: 'I[1-4]:',
  },
  {
    name: 'plain store of the status',
    file: 'message.ts',
    replace: 'Atomics.store(shared.status, 0, BufferStatus.DATA_READY)',
    by: 'shared.status[0] = BufferStatus.DATA_READY',
    killedBy: ['test/explore.test.ts'],
    named: 'also when others wait',
  },
  // I2
  {
    name: 'write in DATA_READY',
    file: 'message.ts',
    replace: 'if (seen === BufferStatus.DATA_READY) return seen',
    by: 'if (seen === BufferStatus.DATA_READY) seen = BufferStatus.IDLE',
    killedBy: ['src/message.test.ts'],
    named: 'I[1-4]:',
  },
  // I3
  {
    name: 'store instead of compareExchange',
    file: 'message.ts',
    replace:
      'const found = Atomics.compareExchange(status, 0, BufferStatus.DATA_READY, BufferStatus.CONSUMED)',
    by: `const found = seen
  Atomics.store(status, 0, BufferStatus.CONSUMED)`,
    killedBy: ['src/message.test.ts'],
    named: 'I[1-4]:',
  },
  {
    name: 'decode in place',
    file: 'message.ts',
    replace: 'copyBytes(data, length)',
    by: 'data.subarray(0, length)',
    killedBy: ['src/message.test.ts'],
    named: 'I[1-4]:',
  },
  {
    name: 'a Buffer not copied',
    file: 'shared-memory.ts',
    replace: `const copy = new Uint8Array(length)
  copy.set(bytes.subarray(0, length))
  return copy`,
    by: 'return bytes.slice(0, length)',
    killedBy: ['src/message.test.ts'],
    named: 'I[1-4]:',
  },
  {
    name: 'no withdrawal',
    file: 'failure.ts',
    replace: 'Atomics.compareExchange(status, 0, BufferStatus.DATA_READY, BufferStatus.CONSUMED)',
    by: '',
    killedBy: ['src/message.test.ts'],
    named: 'I[1-4]:',
  },
  {
    name: 'reused memory not copied while a write waits',
    file: 'message.ts',
    replace: 'if (done !== true && first) bytes = copyBytes(bytes, bytes.byteLength)',
    by: '',
    killedBy: ['src/message.test.ts'],
    named: 'a write waits for the reader',
  },
  // I4
  {
    name: 'no length check',
    file: 'message.ts',
    replace: 'length >= 0 && length <= data.byteLength',
    by: 'true',
    killedBy: ['src/message.test.ts'],
    named: 'I[1-4]:',
  },
  {
    name: 'length of a failure unchecked',
    file: 'failure.ts',
    replace: 'Math.max(0, Math.min(Atomics.load(shared.dataLength, 0), shared.data.byteLength))',
    by: 'Atomics.load(shared.dataLength, 0)',
    killedBy: ['src/failure.test.ts'],
  },
  // I5
  {
    name: 'last error wins',
    file: 'failure.ts',
    replace: 'if (Atomics.load(status, 0) === BufferStatus.ERROR) return',
    by: '',
    killedBy: ['src/failure.test.ts'],
  },
  // I6
  {
    name: 'notify one',
    file: 'message.ts',
    replace: 'Atomics.notify(shared.status, 0)',
    by: 'Atomics.notify(shared.status, 0, 1)',
    killedBy: ['test/explore.test.ts'],
    named: 'also when others wait',
  },
  {
    name: 'no notify of a taken message',
    file: 'message.ts',
    replace: '  Atomics.notify(status, 0)',
    by: '',
    killedBy: ['src/message.test.ts'],
    named: 'a write waits for the reader',
  },
  {
    name: 'plain read of the word',
    file: 'wait.ts',
    replace: 'const seen = Atomics.load(word, 0)',
    by: 'const seen = word[0] as number',
    killedBy: ['test/explore.test.ts'],
    named: 'also when others wait',
  },
  {
    name: 'load again before the sleep',
    file: 'wait.ts',
    replace: 'blockWhile(word, result, remaining)',
    by: 'blockWhile(word, Atomics.load(word, 0), remaining)',
    killedBy: ['src/wait.test.ts'],
  },
  {
    name: 'load again before waitAsync',
    file: 'wait.ts',
    replace: 'Atomics.waitAsync(this.#word, 0, value)',
    by: 'Atomics.waitAsync(this.#word, 0, Atomics.load(this.#word, 0))',
    killedBy: ['test/explore.test.ts'],
    named: 'in its event loop',
  },
  {
    name: 'no second look',
    file: 'wait.ts',
    replace: `this.#queue.push(waiter)
    this.#attemptAll()`,
    by: `this.#queue.push(waiter)
    if (!this.#armed) this.#arm(Atomics.load(word, 0))`,
    killedBy: ['test/explore.test.ts'],
    named: 'in its event loop',
  },
  {
    name: 'old value shown after a change',
    file: 'wait.ts',
    replace: `seen = Atomics.load(this.#word, 0)
          waiter = this.#queue.first`,
    by: 'waiter = this.#queue.first',
    killedBy: ['test/explore.test.ts'],
    named: 'in its event loop',
  },
  {
    name: 'sleep on the value seen',
    file: 'mutex.ts',
    replace: 'return CONTENDED',
    by: 'return seen',
    killedBy: ['test/preempt.test.ts'],
    named: 'I1[145]:',
  },
  // I7
  {
    name: 'arm for each waiter',
    file: 'wait.ts',
    replace: 'if (!this.#armed) this.#arm(sleepOn)',
    by: 'this.#arm(sleepOn)',
    killedBy: ['src/wait.test.ts'],
  },
  {
    name: 'no notify of the own waitAsync',
    file: 'wait.ts',
    replace: 'Atomics.notify(this.#word, 0)',
    by: '',
    killedBy: ['src/wait.test.ts'],
  },
  {
    name: 'waiters of each view apart',
    file: 'wait.ts',
    replace: 'waitersOf(word) ?? new WordWaiters(word)',
    by: 'new WordWaiters(word)',
    killedBy: ['src/wait.test.ts'],
  },
  // I8
  {
    name: 'no timer without a deadline',
    file: 'pending.ts',
    replace: 'this.#startTimer(performance.now() + options.timeoutMs, onTimeout)',
    by: 'if (Number.isFinite(options.timeoutMs)) this.#startTimer(performance.now() + options.timeoutMs, onTimeout)',
    killedBy: ['src/wait.test.ts'],
  },
  {
    name: 'timer stays',
    file: 'pending.ts',
    replace: 'clearTimeout(this.#timer)',
    by: '',
    killedBy: ['src/wait.test.ts'],
  },
  {
    name: 'listener stays',
    file: 'pending.ts',
    replace: 'this.#stopListening?.()',
    by: '',
    killedBy: ['src/wait.test.ts'],
  },
  {
    name: 'listener for each wait',
    file: 'abort.ts',
    replace: 'callsOf.get(signal) ?? listen(signal)',
    by: 'listen(signal)',
    killedBy: ['src/abort.test.ts'],
  },
  // I9
  {
    name: 'same generation',
    file: 'pool.ts',
    replace: '(previous + 1) & MAX_GENERATION',
    by: 'previous',
    killedBy: ['src/pool.test.ts'],
  },
  {
    name: 'release without ended',
    file: 'pool.ts',
    replace: `if (this.#ended) throw leaseEnded(this.index)
    this.#ended = true
    if`,
    by: 'if',
    killedBy: ['src/pool.test.ts'],
  },
  {
    name: 'waits outlive their lease',
    file: 'pool.ts',
    replace: `if (found === controlWord(generation, SlotState.CLAIMED)) return false
    rejectWaits(this.#memory.mailbox(index).status, () => leaseEnded(index))`,
    by: 'if (found === controlWord(generation, SlotState.CLAIMED)) return false',
    killedBy: ['src/pool.test.ts'],
  },
  // I10
  {
    name: 'generation not checked',
    file: 'attached-pool.ts',
    replace:
      'const found = Atomics.compareExchange(this.#memory.words, this.#memory.controlAt(index), leased, claimed)',
    by: `const at = this.#memory.controlAt(index)
    const word = Atomics.load(this.#memory.words, at)
    const live = (word & 3) === SlotState.LEASED
    const found = live ? leased : word
    if (live) Atomics.store(this.#memory.words, at, claimed)`,
    killedBy: ['src/pool.test.ts'],
  },
  {
    name: 'finished claim opens the next',
    file: 'attached-pool.ts',
    replace: 'if (this.#finished || word',
    by: 'if (word',
    killedBy: ['src/pool.test.ts'],
  },
  {
    name: 'finish whatever the state',
    file: 'attached-pool.ts',
    replace:
      'return Atomics.compareExchange(words, this.#memory.controlAt(this.#index), claimed, leased) === claimed',
    by: 'return Atomics.exchange(words, this.#memory.controlAt(this.#index), leased) === claimed',
    killedBy: ['test/explore.test.ts'],
    named: 'a quarantined slot',
  },
  // I11
  {
    name: 'release whatever the state',
    file: 'pool.ts',
    replace: 'const found = Atomics.compareExchange(words, this.#memory.controlAt(index), leased, free)',
    by: `const found = leased
    Atomics.store(words, this.#memory.controlAt(index), free)`,
    killedBy: ['src/pool.test.ts'],
  },
  {
    name: 'quarantine frees at once',
    file: 'pool.ts',
    replace: 'Promise.resolve(until).then(freeLater, freeLater)',
    by: 'freeLater()',
    killedBy: ['src/pool.test.ts'],
  },
  {
    name: 'quarantine loads, then stores',
    file: 'pool.ts',
    replace: 'const found = Atomics.exchange(words, at, controlWord(generation, SlotState.QUARANTINED))',
    by: `const found = Atomics.load(words, at)
    Atomics.store(words, at, controlWord(generation, SlotState.QUARANTINED))`,
    killedBy: ['test/preempt.test.ts'],
    named: 'I1[145]:',
  },
  // I12
  {
    name: 'not cleared',
    file: 'pool.ts',
    replace: 'clearMailbox(mailbox)',
    by: '',
    killedBy: ['src/pool.test.ts'],
  },
  // I13
  {
    name: 'free list first',
    file: 'pool.ts',
    replace: `const waiter = this.#queue.first
    if (waiter === undefined) {
      this.#free.push(index)
      return
    }`,
    by: `this.#free.push(index)
    queueMicrotask(() => {
      const first = this.#queue.first
      const free = first && this.#free.pop()
      if (first === undefined || free === undefined) return
      this.#queue.remove(first)
      first.resolve(this.#lease(free))
    })
    const waiter = new SlotWaiter({ timeoutMs: 0, signal: undefined }, this.#queue)
    if (this.#free.length > 0) return`,
    killedBy: ['src/pool.test.ts'],
  },
  // I14
  {
    name: 'tryLock loads, then stores',
    file: 'mutex.ts',
    replace: 'if (Atomics.compareExchange(this.#state, 0, UNLOCKED, LOCKED) !== UNLOCKED) return false',
    by: `if (Atomics.load(this.#state, 0) !== UNLOCKED) return false
    Atomics.store(this.#state, 0, LOCKED)`,
    killedBy: ['test/preempt.test.ts'],
    named: 'I1[145]:',
  },
  {
    name: 'take without compareExchange',
    file: 'mutex.ts',
    replace: 'if (seen === UNLOCKED && this.tryLock()) return true',
    by: `if (seen === UNLOCKED) {
      Atomics.store(this.#state, 0, LOCKED)
      this.#held = true
      return true
    }`,
    killedBy: ['test/preempt.test.ts'],
    named: 'I1[145]:',
  },
  {
    name: 'corrupt word taken for a lock',
    file: 'mutex.ts',
    replace: 'if (seen < UNLOCKED || seen > CONTENDED) {',
    by: 'if (seen < UNLOCKED && seen > CONTENDED) {',
    killedBy: ['src/bad-input.test.ts'],
  },
  // I15
  {
    name: 'always notify',
    file: 'mutex.ts',
    replace: 'Atomics.exchange(this.#state, 0, UNLOCKED) === CONTENDED',
    by: 'Atomics.exchange(this.#state, 0, UNLOCKED) >= UNLOCKED',
    killedBy: ['src/mutex.test.ts'],
  },
  {
    name: 'never notify',
    file: 'mutex.ts',
    replace: 'Atomics.notify(this.#state, 0)',
    by: '',
    killedBy: ['test/explore.test.ts'],
    named: 'in their event loops',
  },
  {
    name: 'sleep without CONTENDED',
    file: 'mutex.ts',
    replace: 'if (seen === LOCKED) Atomics.compareExchange(this.#state, 0, LOCKED, CONTENDED)',
    by: '',
    killedBy: ['test/preempt.test.ts'],
    named: 'I1[145]:',
  },
  {
    name: 'CONTENDED whatever the state',
    file: 'mutex.ts',
    replace: 'Atomics.compareExchange(this.#state, 0, LOCKED, CONTENDED)',
    by: 'Atomics.store(this.#state, 0, CONTENDED)',
    killedBy: ['test/preempt.test.ts'],
    named: 'I1[145]:',
  },
  // I16
  {
    name: 'unlock without held',
    file: 'mutex.ts',
    replace: 'if (!this.#held)',
    by: 'if (this.#state.length === 0)',
    killedBy: ['src/mutex.test.ts'],
  },
]
