import { fileURLToPath } from 'node:url'
import { mutationGate } from '@scratchyjs/tooling/mutation-gate'
import { mutations } from './mutations.js'

/** A detector each: all of them take a minute, which only `npm run soak` has. */
const inEveryRun = [
  'missing >>> 0',
  'wrap at 2^32',
  'position not wrapped',
  'cursor of the other side stored',
  'publish before copy',
  'freed before copy',
  'cache never reloaded',
  'notify before store',
  're-check dropped before wait',
  'no header check',
  'snapshot reads each cursor once',
  'one waitAsync for each wait',
  'abandoned registration left',
  'commit more than reserved',
  'notify for a sleeper left out',
  'flag not set',
  'state looked at last',
  'message published before its copy',
  'length unchecked',
  'no turns',
  'peer not heard',
  'piece published before its copy',
]

mutationGate(fileURLToPath(new URL('..', import.meta.url)), mutations, inEveryRun)
