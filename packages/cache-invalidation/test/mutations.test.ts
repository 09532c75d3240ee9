import { fileURLToPath } from 'node:url'
import { mutationGate } from '@scratchyjs/tooling/mutation-gate'
import { mutations } from './mutations.js'

/** Those of the queue need a server, and seconds each: only `npm run soak` has time for all. */
const quick = mutations.filter(({ killedBy }) => !killedBy.includes('test/sender-queue.test.ts'))

mutationGate(
  fileURLToPath(new URL('..', import.meta.url)),
  process.env.MUTATIONS === 'all' ? mutations : quick,
)
