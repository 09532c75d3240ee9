import { fileURLToPath } from 'node:url'
import { mutationGate } from '@scratchyjs/tooling/mutation-gate'
import { mutations } from './mutations.js'

/** A detector each: all of them take minutes, which only `npm run soak` has. */
const inEveryRun = [
  'pipelined pages of a lost connection kept',
  'ring of a killed thread used again',
  'ring given back before it is read',
  'more run than may',
  'a queue without an end',
  'a word given to two renders',
  'a render whose turn came too late keeps its place',
  'slept without a last look',
  'a head changed after it was sent',
  'parts of any size',
  'half a context',
  'every render has one ticket',
  'cookies overlooked',
  'stale here',
  'up and out',
  'written in place',
]

mutationGate(fileURLToPath(new URL('..', import.meta.url)), mutations, inEveryRun)
