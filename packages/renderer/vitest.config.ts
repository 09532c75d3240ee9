import { fileURLToPath } from 'node:url'
import type { Options } from 'tsup'
import { defineConfig } from 'vitest/config'
import { mutantPackage } from '../../tooling/mutant-package.js'
import { mutations } from './test/mutations.js'
import build from './tsup.config.js'

const here = fileURLToPath(new URL('.', import.meta.url))

export default defineConfig({
  root: (await mutantPackage(here, mutations, build as Options)) ?? here,
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    maxWorkers: 3,
    maxConcurrency: 2,
  },
})
