import { expect, test } from 'vitest'
import {
  CONTROL_LIMIT_MS,
  falseAlarms,
  type Mutation,
  mutationNamed,
  noticed,
  requirePlace,
  TRIAL_MS,
  testsOf,
} from './mutations.js'

/**
 * Registers a test for each mutation of the package in `folder`, and one for the tests that must notice them. Where all
 * take too long for `npm test`, it tries those of these names, and all with `MUTATIONS=all` in the environment.
 */
export function mutationGate(folder: string, mutations: Mutation[], inEveryRun?: readonly string[]): void {
  const isAll = inEveryRun === undefined || process.env.MUTATIONS === 'all'
  const tried = isAll ? mutations : inEveryRun.map(name => mutationNamed(name, mutations))

  test.runIf(!isAll)('the code has a place for each mutation, tried or not', async () => {
    await Promise.all(mutations.map(mutation => requirePlace(folder, mutation)))
  })

  test.concurrent.for(testsOf(tried))(
    'the code as it is passes $killedBy $named',
    { timeout: 2 * CONTROL_LIMIT_MS },
    async tests => {
      expect(await falseAlarms(folder, tests)).toEqual([])
    },
  )

  test.concurrent.for(tried)(
    'the mutation $name is noticed',
    { timeout: TRIAL_MS },
    async (mutation, { annotate }) => {
      const notices = await noticed(folder, mutation)
      expect(notices, 'no test noticed it').not.toEqual([])
      await annotate(String(notices[0]))
    },
  )
}
