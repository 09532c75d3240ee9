import { fileURLToPath } from 'node:url'
import { killersOf } from '@scratchyjs/tooling/mutations'
import { expect, test } from 'vitest'
import { mutations } from './mutations.js'

const folder = fileURLToPath(new URL('..', import.meta.url))

test.concurrent.each(mutations)('the mutation $name is noticed', { timeout: 90_000 }, async mutation => {
  expect(await killersOf(folder, mutation)).not.toEqual([])
})
