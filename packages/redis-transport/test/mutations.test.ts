import { fileURLToPath } from 'node:url'
import { mutationGate } from '@scratchyjs/tooling/mutation-gate'
import { mutations } from './mutations.js'

/** A detector each: all of them take a minute, which only `npm run soak` has. */
const inEveryRun = [
  'page key without lengths',
  'vary left out',
  'fence not compared',
  'a lost fence counts as equal',
  'size unchecked',
  'page without a TTL',
  'context without a TTL',
  'breaker never opens',
  'attempts of another era count',
  'two probes',
  'no deadline',
  'late before the socket is read',
  'GET instead of GETDEL',
  'payload written its own way',
]

mutationGate(fileURLToPath(new URL('..', import.meta.url)), mutations, inEveryRun)
