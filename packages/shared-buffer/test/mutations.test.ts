import { fileURLToPath } from 'node:url'
import { mutationGate } from '@scratchyjs/tooling/mutation-gate'
import { mutations } from './mutations.js'

/** A detector each: all of them take a minute, which only `npm run soak` has. */
const inEveryRun = [
  'publish before copy',
  'write in DATA_READY',
  'store instead of compareExchange',
  'no length check',
  'last error wins',
  'no second look',
  'arm for each waiter',
  'timer stays',
  'same generation',
  'generation not checked',
  'quarantine frees at once',
  'not cleared',
  'free list first',
  'tryLock loads, then stores',
  'never notify',
  'unlock without held',
]

mutationGate(fileURLToPath(new URL('..', import.meta.url)), mutations, inEveryRun)
