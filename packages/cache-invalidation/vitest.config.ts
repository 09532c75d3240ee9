import { defineConfig } from 'vitest/config'
import { mutant } from '../../tooling/mutations.js'
import { mutations } from './test/mutations.js'

export default defineConfig({
  plugins: [mutant(mutations)],
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    maxWorkers: 2,
    maxConcurrency: 2,
  },
})
