import { fileURLToPath } from 'node:url'
import { CONTROL_LIMIT_MS, falseAlarms, LIMIT_MS, noticed, testsOf } from '@scratchyjs/tooling/mutations'
import { expect, test } from 'vitest'
import { mutations } from './mutations.js'

const folder = fileURLToPath(new URL('..', import.meta.url))

test.concurrent.for(testsOf(mutations))(
  'the code as it is passes $killedBy $named',
  { timeout: 2 * CONTROL_LIMIT_MS },
  async tests => {
    expect(await falseAlarms(folder, tests)).toEqual([])
  },
)

test.concurrent.for(mutations)(
  'the mutation $name is noticed',
  { timeout: 2 * LIMIT_MS },
  async (mutation, { annotate }) => {
    const notices = await noticed(folder, mutation)
    expect(notices, 'no test noticed it').not.toEqual([])
    await annotate(String(notices[0]))
  },
)
