import { workerData } from 'node:worker_threads'
import { dice } from './dice.js'

/** A thread that wakes whoever sleeps on any word of the header, at random and for nothing, until it is ended. */
const { buffer, words, seed } = workerData as { buffer: SharedArrayBuffer; words: number; seed: number }
const header = new Int32Array(buffer, 0, words)
const nap = new Int32Array(new SharedArrayBuffer(4))
const roll = dice(seed)
for (;;) {
  for (let word = 0; word < words; word++) if (roll(3) === 0) Atomics.notify(header, word, 1 + roll(3))
  Atomics.wait(nap, 0, 0, roll(30) / 20)
}
