import { fileURLToPath } from 'node:url'
import { mutationGate } from '@scratchyjs/tooling/mutation-gate'
import { mutations } from './mutations.js'

/** A detector each: all of them take minutes, which only `npm run soak` has. */
const inEveryRun = [
  'no replay',
  'no merge',
  'no epoch check',
  'no trim check',
  'no server check',
  'no divergence check',
  'position moved before the handler',
  'no heartbeat',
  'in step before the log is read',
  'no fence',
  'no fence by key',
  'no fence by tag',
  'no fence by flush',
  'join across an invalidation',
  'no staleness bound',
  'no single flight',
  'overflow drops what waits',
  'id not looked up',
  'logged and not published',
]

mutationGate(fileURLToPath(new URL('..', import.meta.url)), mutations, inEveryRun)
