import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: 'test/compile.ts',
    testTimeout: 20_000,
    maxWorkers: 2,
  },
})
