import { expect, test } from 'vitest'
import { CONTROL_LIMIT_MS, falseAlarms, LIMIT_MS, type Mutation, noticed, testsOf } from './mutations.js'

/** Registers a test for each mutation of the package in `folder`, and one for the tests that must notice them. */
export function mutationGate(folder: string, mutations: Mutation[]): void {
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
}
