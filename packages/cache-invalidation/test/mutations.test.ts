import { fileURLToPath } from 'node:url'
import { mutationGate } from '@scratchyjs/tooling/mutation-gate'
import { mutations } from './mutations.js'

mutationGate(fileURLToPath(new URL('..', import.meta.url)), mutations)
